"""One module per clip; `CLIPS` lists them in the order of clips.json."""

from . import (
               acoustic_guitar,
               choir,
               disco,
               harpsichord,
               jazz_trio,
               piano,
               rock,
               sitar,
               string_quartet,
               techno,
)

CLIPS = tuple(module.CLIP for module in (
    disco, piano, string_quartet, rock, techno, acoustic_guitar, choir, jazz_trio,
    harpsichord, sitar))
