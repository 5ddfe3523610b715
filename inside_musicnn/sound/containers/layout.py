"""How the sound of a file is laid out: links that follow one another, runs and gaps in a link."""

from dataclasses import dataclass
from typing import Literal

Piece = bytes | tuple[int, int]  # bytes as they are, or first and end of a stretch of the file
Pieces = tuple[Piece, ...]
LONGEST_GAP = 3600  # seconds of silence that may stand for what is lost in one place
# How a file ends: with a mark of its own, or where its header says; open, so that nothing tells
# whether more was to come; or torn in the middle of a frame or a page.
Ending = Literal["marked", "open", "torn"]


@dataclass(frozen=True)
class Run:
    """Sound that one decoder reads from beginning to end.

    Attributes:
        start: frame of its link that comes first.
        pieces: what is given to the decoder; None for the file as it is.
        end: frame of its link that comes after the last; None for the end of the link.
    """

    start: int
    pieces: Pieces | None = None
    end: int | None = None


@dataclass(frozen=True)
class Link:
    """A part of a file with one rate; most files have one.

    Attributes:
        rate: frames in a second.
        frames: how many there are, gaps included; None if nothing tells before it is decoded.
        runs: what can be decoded, in order.
        gaps: first and end of stretches of frames that are lost, in order.
    """

    rate: int
    frames: int | None
    runs: tuple[Run, ...]
    gaps: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Layout:
    """All links of a file.

    Attributes:
        links: in order; at least one.
        stated: seconds of sound that the file's header says, None if it does not.
        ending: how the file ends.
        decoder: who decodes it.
    """

    links: tuple[Link, ...]
    stated: float | None
    ending: Ending
    decoder: Literal["libsndfile", "PyAV"] = "libsndfile"

    @property
    def seconds(self) -> float | None:
        """How long the sound is, as far as the file holds it."""
        lengths = [link.frames / link.rate for link in self.links if link.frames is not None]
        return sum(lengths) if len(lengths) == len(self.links) else None
