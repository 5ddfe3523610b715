"""Shows how large errors are as parts of their bounds: `python tests/arithmetic/ratios.py`.

Imitated processors: `python tests/arithmetic/processors.py nehalem tests/arithmetic/ratios.py`.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def patches_of_all_kinds():
    """One patch each of three clips, silence, noise, and numbers that no music gives."""
    from inside_musicnn import load_clip
    from inside_musicnn.sound import probes

    music = [load_clip(name).patches()[3] for name in ("disco", "piano", "choir")]
    made = [probe.patches()[0] for probe in (probes.silence(), probes.noise())]
    strange = np.random.default_rng(1).uniform(-5, 9, (187, 96))
    return np.stack([*music, *made, strange]).astype(np.float32)


def main():
    from arithmetic.network import truth_of
    from inside_musicnn import LAYERS, MODELS, MusiCNN
    from inside_musicnn.network.compact import LAYERS_OF_COMPACT

    print(f"{'largest error / bound':24}" + "".join(f"{model:>24}" for model in MODELS))
    print(f"{'':24}" + 2 * f"{'original':>12}{'compact':>12}")
    patches = patches_of_all_kinds()
    nets = [MusiCNN(model, compact=compact, **({"threshold": 0} if compact else {}))
            for model in MODELS for compact in (False, True)]
    for layer in LAYERS:
        cells = ""
        for net in nets:
            if net.compact and layer not in LAYERS_OF_COMPACT:
                cells += f"{'':12}"
                continue
            ratios = [truth_of(net.name, patch[None]).ratio(
                layer, net.activations(patch[None], layer)[layer]) for patch in patches]
            cells += f"{max(ratios):12.2g}"
        print(f"{layer:24}{cells}", flush=True)


if __name__ == "__main__":
    main()
