"""How long chapters take: from earlier runs or a table, corrected by what this run measures."""

import heapq

# Seconds per chapter of a run of the whole book, on two cores with two at once.
TYPICAL = {
    "01_system": 7, "02_architecture": 4, "03_input": 18, "04_temporal_kernels": 10,
    "05_timbral_kernels": 9, "06_bias_activation": 9, "07_normalisation": 8, "08_time_series": 10,
    "09_first_stage": 20, "10_cnn_2": 9, "11_cnn_3": 6, "12_cnn_4": 14, "13_pooling": 15,
    "14_dense_tags": 13, "15_from_tags_to_structures": 32, "16_your_corpus": 8,
    "17_smaller_musicnn": 17, "layers": 3, "claims": 4, "benchmarks": 3,
}
TYPICAL_SITE = 18
TRUST = 20  # seconds of chapters that the table's word is worth


class Estimate:
    """Expects how long each chapter takes.

    Args:
        known: seconds per chapter of earlier runs.
        jobs: how many chapters run at once.
        after: seconds that follow the last chapter.
    """

    def __init__(self, known: dict[str, float], jobs: int, after: float = 0.0):
        self.table = TYPICAL | known
        self.jobs, self.after = jobs, after
        self.measured, self.expected = 0.0, 0.0  # of the chapters that this run has finished

    def knows(self, name: str) -> bool:
        return name in self.table

    def learn(self, name: str, seconds: float) -> None:
        """A chapter of this run took so long."""
        self.measured += seconds
        self.expected += self._usual(name)

    def seconds(self, name: str) -> float:
        """How long a chapter may take: as usual, at the pace of this run."""
        return self._usual(name) * (self.measured + TRUST) / (self.expected + TRUST)

    def _usual(self, name: str) -> float:
        return self.table.get(name, sum(self.table.values()) / len(self.table))

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
