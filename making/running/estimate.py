"""How long chapters take: as in earlier runs, corrected by what this run measures."""

import heapq

GUESS = 10.0  # seconds of a chapter of mean length, and of the site, before any was measured
TRUST = 20.0  # seconds of chapters that what was known before is worth


class Estimate:
    """Expects how long each chapter takes.

    Args:
        sizes: bytes of each chapter's source. One that no run has measured is expected to take
            as long for its size as those that were.
        known: seconds per chapter of earlier runs.
        jobs: how many chapters run at once.
        after: seconds that follow the last chapter.
    """

    def __init__(self, sizes: dict[str, int], known: dict[str, float], jobs: int,
                 after: float = 0.0):
        both = sizes.keys() & known.keys()
        seconds, size = sum(known[name] for name in both), sum(sizes[name] for name in both)
        if not seconds:
            seconds, size = GUESS * len(sizes), sum(sizes.values())
        self._usual = {name: seconds * each / size for name, each in sizes.items()} | known
        self.jobs, self.after = jobs, after
        self.measured, self.expected = 0.0, 0.0  # of the chapters that this run has finished

    def learn(self, name: str, seconds: float) -> None:
        """A chapter of this run took so long."""
        self.measured += seconds
        self.expected += self._usual[name]

    def seconds(self, name: str) -> float:
        """How long a chapter may take: as usual, at the pace of this run."""
        return self._usual[name] * (self.measured + TRUST) / (self.expected + TRUST)

    def left(self, running: list[tuple[str, float]], waiting: list[str]) -> float:
        """Seconds until all is done.

        Args:
            running: chapters' names, and the seconds they have run for.
            waiting: names of chapters, in the order in which they will start.
        """
        free = [max(0.0, self.seconds(name) - since) for name, since in running]
        free += [0.0] * (self.jobs - len(free))
        heapq.heapify(free)
        for name in waiting:
            heapq.heapreplace(free, free[0] + self.seconds(name))
        return max(free) + self.after
