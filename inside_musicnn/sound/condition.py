"""Whether a file is whole, damaged, cut short, or cannot be told from one that was cut.

One rule for all formats, over what `inside_musicnn.sound.containers` finds in a file.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from inside_musicnn.sound.containers.layout import Layout

TOLERANCE = 0.1  # seconds by which sound may be shorter than its header says


@dataclass(frozen=True)
class Damage:
    """A place where sound is lost.

    Attributes:
        start: seconds from the beginning of the file.
        seconds: how much is lost; None where nothing tells.
        at_end: whether nothing comes after it: the file was cut short.
    """

    start: float
    seconds: float | None
    at_end: bool = False

    @property
    def end(self) -> float:
        """Seconds from the beginning of the file: where sound goes on, or would."""
        return self.start + (self.seconds or 0.0)

    def touches(self, start: float, end: float) -> bool:
        """Whether some of what lies between two times is lost."""
        return self.start < end and (self.end > start or self.start == self.end == start)


@dataclass(frozen=True)
class Condition:
    """What can be said of a file before it is decoded.

    Attributes:
        damages: places where sound is lost, in order.
        doubtful: nothing tells whether more was to come after its end.
    """

    damages: tuple[Damage, ...]
    doubtful: bool


def judge(layout: Layout) -> Condition:
    """The one rule.

    A gap is damage. A file that holds less than its header states was cut, and so was one that
    ends in the middle of a page or frame and states no length. One that states no length and has
    no mark at its end cannot be told from one that was cut.
    """
    damages: list[Damage] = []
    begun = 0.0
    for link in layout.links:
        damages += [Damage(begun + first / link.rate, (end - first) / link.rate or None)
                    for first, end in link.gaps]
        begun += (link.frames or 0) / link.rate
    if layout.stated is not None:
        missing = layout.stated - begun
        if missing > TOLERANCE:
            damages.append(Damage(begun, missing, at_end=True))
    elif layout.ending == "torn" and layout.seconds is not None:  # else its decoder will tell
        damages.append(Damage(begun, None, at_end=True))
    return Condition(tuple(damages), layout.stated is None and layout.ending == "open")


def touched(damages: Iterable[Damage], start: float, end: float) -> bool:
    """Whether damage touches what lies between two times, in seconds."""
    return any(damage.touches(start, end) for damage in damages)
