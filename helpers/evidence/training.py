"""How the released networks were trained, by the log that the package holds of each."""

from typing import NamedTuple

import numpy as np

from inside_musicnn.network.musicnn import MusiCNN


class TrainingLog(NamedTuple):
    """One number for each line of the log, that is for each pass over the training data.

    Attributes:
        epoch: number of the pass, from 1.
        training: error on the training data, with the penalty on the weights; not a number in the
            first line, which was written before any training.
        validation: error on the validation data.
        seconds: how long the pass took.
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
