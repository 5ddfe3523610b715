"""Make the files of live weights in inside_musicnn/weights from the package musicnn.

    python -m making.weights            write the files that differ from what the package gives
    python -m making.weights --check    write nothing; end with 1 if a file differs

The same bytes come out wherever it runs. Their checksums stand in
`inside_musicnn/network/live_weights.py`, which refuses all others.
"""

import argparse
import sys

from inside_musicnn import replacing
from inside_musicnn.checksums import of_bytes
from inside_musicnn.network.live_weights import FOLDER, STORED, keep_live, packed
from inside_musicnn.network.weights import MODELS, Weights, checksums_of_weights

ABOUT = {
    "what": "The live weights of MusiCNN, kept number for number, for inside-musicnn.",
    "authors": "Jordi Pons and Xavier Serra, Music Technology Group, Universitat Pompeu Fabra",
    "licence": "ISC; the text is in the file LICENSE beside this one",
    "source": "the package musicnn 0.1.0; https://arxiv.org/abs/1909.06654",
}


def made(model: str) -> bytes:
    """The bytes of one network's file."""
    return packed(keep_live(Weights(model), made_from=checksums_of_weights(model)), ABOUT)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m making.weights", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    differ = 0
    for model in MODELS:
        file, content = FOLDER / f"{model}.npz", made(model)
        same = file.exists() and file.read_bytes() == content
        if not same and not options.check:
            replacing.write(file, content)
        said = "as it was" if same else "differs" if options.check else "written"
        print(f"{file.name}: {said}, {len(content)} bytes, SHA-256 {of_bytes(content)}")
        if of_bytes(content) != STORED[model]:
            print(f"  live_weights.STORED has another checksum: {STORED[model]}")
        differ += not same or of_bytes(content) != STORED[model]
    return int(differ > 0 and options.check)


if __name__ == "__main__":
    sys.exit(main())
