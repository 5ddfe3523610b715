"""What is true, and how far float32 may be from it: float64 from the weights, with bounds.

- `rounding`: single steps, each with a bound for what float32 makes of it
- `network`: the whole network, every named layer, and how far a result is from it
- `sound`: the spectrogram, from samples to float16 and decibels
- `faults`: ways to break the network that a bound must not let pass
- `processors`: other processors, imitated by environment variables
"""

import pytest

ALSO_IMITATED = ("disco", "piano")  # clips that stand for all under imitated processors


def some_numeric(clips):
    """Names of clips as parameters: all for `make test`, some for the marker "numeric"."""
    return [pytest.param(name, marks=pytest.mark.numeric) if name in ALSO_IMITATED else name
            for name in clips]
