"""How the released networks were trained, by the log that the package holds of each."""

from typing import NamedTuple

import numpy as np

from inside_musicnn.network.musicnn import MusiCNN


class TrainingLog(NamedTuple):
    """One number for each line of the log, that is for each epoch.

    The published training code says what they are: in an epoch every training recording gives one
    patch, drawn at random; a cost is the cross-entropy of the tags and half the squares of all
    kernels times the weight decay, in training and validation alike; the weights that were kept
    are those of the lowest validation cost.

    Attributes:
        epoch: number of the line, from 1.
        training: cost on the training data; not a number in the first line, which was written
            before any training.
        validation: cost on the validation data.
        seconds: how long the epoch took.
        rate: learning rate.
    """

    epoch: np.ndarray
    training: np.ndarray
    validation: np.ndarray
    seconds: np.ndarray
    rate: np.ndarray


def training_log(net: MusiCNN) -> TrainingLog:
    """The log of a network's training."""
    lines = (net.folder / "train_log.tsv").read_text().splitlines()[1:]  # the first has the titles
    values = [[float(cell.rstrip("s")) for cell in line.split("\t")] for line in lines]
    return TrainingLog(*np.array(values).T)
