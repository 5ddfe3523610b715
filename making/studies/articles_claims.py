"""What the articles saw on one recording, asked of many.

For each recording, whether each of the ledger's claims of this kind holds on four of its patches,
by the ledger's own measures. They are claims about `MSD_musicnn`; the rows of the other network
tell the same of its own units of those numbers.
"""

import numpy as np

from helpers.evidence.ledger import Context, claims
from inside_musicnn.network.layers import UNITS
from making.studies.forecasts import takes  # noqa: F401  (the same recordings)
from making.studies.subject import Subject

CLAIMS = ("busy_units", "sparse_units", "units_that_stay_high", "last_matrix_more_active",
          "sparse_rows", "row_34", "sum_not_sparse", "bright_rows", "dim_rows")
PATCHES = 4
MEANINGS = {name: f"whether it holds: {name}" for name in CLAIMS}
DTYPES = dict.fromkeys(CLAIMS, "uint8")


def measure(subject: Subject) -> dict[str, np.ndarray]:
    """One recording: see MEANINGS."""
    context = Context(alone=True)
    context.memory["second"] = tensors(subject)
    vars(context)["msd"] = subject.net
    found = {name: claims()[name].measure(context)[1]["here"] for name in CLAIMS}
    return {name: np.array(value) for name, value in found.items()}


def tensors(subject: Subject) -> dict[str, np.ndarray]:
    """What `measures.second_stage.tensors` gives, by the compact network."""
    chosen = np.linspace(0, len(subject.patches) - 1, min(PATCHES, len(subject.patches)))
    patches = subject.patches[chosen.round().astype(int)]
    found = subject.net.activations(patches, ["cnn_2/norm", "cnn_3/norm", "cnn_4/norm",
                                              "stage_2/out"])
    values = {name: each.reshape(-1, each.shape[-1]) for name, each in found.items()}
    weights = subject.weights.block("cnn_4")
    gain = np.where(weights["gain"] == 0, 1, weights["gain"])
    before = (values["cnn_4/norm"] - weights["offset"]) / gain
    before[np.abs(before) < 1e-5] = 0  # what ReLU left at zero, but for rounding
    values["cnn_4/relu"] = np.maximum(before, 0)
    values["cnn_4/sum"] = values["stage_2/out"][:, -UNITS:]
    return values
