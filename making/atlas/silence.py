"""What a network answers to silence and to noise: the scores that mean nothing."""

import numpy as np

from inside_musicnn import MusiCNN
from inside_musicnn.sound.probes import noise, silence


def answers_to_nothing(model: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean scores for three seconds of silence, and of white noise, each of shape (50,)."""
    net = MusiCNN(model, compact=True, threads=1)
    first, second = (net.tags(probe(seconds=3.1)).mean(axis=0) for probe in (silence, noise))
    return first, second
