"""How much is measured: a full run of about half an hour, and a quick one to see that all works."""

from dataclasses import dataclass

MODELS = ("MSD_musicnn", "MTT_musicnn")


@dataclass(frozen=True)
class Plan:
    """Numbers of one run.

    Attributes:
        models: the first is measured in all respects, the others where speed depends on them.
        rounds: how often each question is asked, all peers in turn.
        tries: how often each setting is tried to find a peer's best.
        patches: in one question on throughput.
        largest: patches per call that are tried at most.
        counts: numbers of patches of the measurement of cost against their number.
        limit: seconds; a peer that would need more for one such question is not asked.
        song: seconds of the recording that is tagged from its file.
        long: seconds of the recording that the command tags, beside bare decoding.
        every_core: whether numbers of cores are measured for all peers, or the compact network's
            alone.
    """

    models: tuple = MODELS
    rounds: int = 10
    tries: int = 3
    patches: int = 16
    largest: int = 64
    counts: tuple = (1, 3, 10, 30, 100, 300)
    limit: float = 2.0
    song: float = 90.0
    long: float = 420.0
    every_core: bool = True


FULL = Plan()
QUICK = Plan(models=MODELS[:1], rounds=3, tries=1, patches=4, largest=4, counts=(1, 3), limit=2.0,
             song=13.0, long=20.0, every_core=False)
