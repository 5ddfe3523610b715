"""The data set of the book's ten clips that chapter 16 reads, made anew: data/corpus/clips/.

    python -m making.corpus_of_clips

Needed when the clips, or the format of such data sets, have changed.
"""

import io
import json
import os
import shutil
import tempfile
from pathlib import Path

from inside_musicnn import MODELS, replacing
from inside_musicnn.corpus import make_corpus
from inside_musicnn.sound.shipped import DATA, clip_file, clip_names

CLIPS = DATA / "corpus" / "clips"


def make(model: str, output: Path) -> None:
    """Make the data set of one network in the folder `output`, in place of an older one."""
    with tempfile.TemporaryDirectory() as temporary, replacing.new_version(output) as new:
        folder = Path(temporary)
        for name in clip_names():  # these alone: data/ holds other sound, too
            (folder / clip_file(name).name).symlink_to(clip_file(name))
        make_corpus(folder, new, model, jobs=0, stream=io.StringIO())
        for rest in new.glob(".*"):
            shutil.rmtree(rest) if rest.is_dir() else rest.unlink()
        facts = json.loads((new / "metadata.json").read_text(encoding="utf-8"))
        facts["folder"] = os.path.relpath(DATA, output)  # the same on every machine
        (new / "metadata.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    CLIPS.mkdir(parents=True, exist_ok=True)
    for each in MODELS:
        make(each, CLIPS / each)
