"""What a network answers where there is no music, and which scores say more than that.

A network has an answer to silence and to noise, too. A score is *worth words* if it stands at
least `MARGIN` above the highest of the answers that the same network gives the same tag for
silence, soft noise and loud noise. The margin is a choice: chapter 1 shows what half of it and
twice as much would say. Such a tag need not be right; the others say nothing of the recording.
"""

from dataclasses import dataclass

import numpy as np

from inside_musicnn.network.musicnn import MusiCNN
from inside_musicnn.sound import probes

MARGIN = 0.1
SECONDS = 12.0  # four patches
NOISES = {"soft noise": 0.01, "loud noise": 0.1}  # standard deviation: 40 and 20 dB below full


@dataclass(frozen=True)
class Nothing:
    """Mean scores of one network for sounds that are no music, each of shape (50,)."""

    answers: dict[str, np.ndarray]

    @property
    def highest(self) -> np.ndarray:
        """For each tag the highest of the answers, shape (50,)."""
        return np.max(list(self.answers.values()), axis=0)

    def worth_words(self, scores: np.ndarray, margin: float = MARGIN) -> np.ndarray:
        """Which mean scores stand that far above all answers to nothing.

        Args:
            scores: shape (50,), or (recordings, 50).

        Returns:
            truth values of the same shape.
        """
        return scores >= self.highest + margin


def answers_to_nothing(net: MusiCNN) -> Nothing:
    """What a network answers to silence and to white noise, soft and loud."""
    sounds = {"silence": probes.silence(SECONDS)}
    sounds |= {name: probes.noise(level, SECONDS) for name, level in NOISES.items()}
    return Nothing({name: net.tags(sound).mean(axis=0) for name, sound in sounds.items()})
