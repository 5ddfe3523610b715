"""What tags need: NumPy, soundfile and soxr; nothing else."""

import subprocess
import sys

import numpy as np
import pytest
from arithmetic.sound import truth_of_samples
from conftest import ROOT

from inside_musicnn import MusiCNN, load_clip
from inside_musicnn.network.units import THRESHOLD

NEEDED = {"numpy", "soundfile", "soxr", "inside_musicnn",
          "_cffi_backend", "_soundfile", "_soundfile_data", "typing_extensions"}  # soundfile's
ALONE = f"""
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in {sorted(NEEDED)} + list(sys.stdlib_module_names):
            raise ModuleNotFoundError(name)

sys.path.insert(0, {str(ROOT)!r})
sys.meta_path.insert(0, Blocked())
"""


def alone(code):
    """What a new process prints that can import nothing else."""
    done = subprocess.run([sys.executable, "-c", ALONE + code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_block_holds():
    with pytest.raises(AssertionError, match="ModuleNotFoundError: scipy"):
        alone("import scipy")


def test_clips_and_tags_need_little():
    said = alone("from inside_musicnn import MusiCNN, load_clip\n"
                 "clip = load_clip('disco', segments=2)\n"
                 "net = MusiCNN('MTT_musicnn', compact=True)\n"
                 "print(*net.tags(clip).ravel().tolist())")
    clip, found = load_clip("disco", segments=2), np.array(said.split(), float).reshape(2, 50)
    truth = truth_of_samples("MTT_musicnn", clip.samples, THRESHOLD)
    for scores in (found, MusiCNN("MTT_musicnn", compact=True).tags(clip)):
        assert truth.ratio("tags/sigmoid", scores) <= 1


def test_the_command_needs_little():
    said = alone("from inside_musicnn.commands.tags import write_tags\n"
                 "write_tags(['disco'], 'MTT_musicnn', duration=6, top=3)")
    assert said.startswith("disco: 2 patches") and len(said.splitlines()) == 4


def test_the_package_alone_imports_nothing():
    said = alone("import inside_musicnn\nprint([name for name in sys.modules if name.split('.')[0]"
                 " in ('numpy', 'soundfile', 'soxr', 'musicnn')])")
    assert said.strip() == "[]"


def test_the_network_knows_no_clips():
    """It takes whatever has patches, and imports nothing that decodes."""
    said = alone("""
import numpy as np
from inside_musicnn import MusiCNN

class Noise:
    def patches(self):
        return np.random.default_rng(0).uniform(0, 4, (2, 187, 96)).astype(np.float32)

net = MusiCNN('MSD_musicnn', compact=True)
assert np.array_equal(net.tags(Noise()), net.tags(Noise().patches()))
print([name for name in sys.modules if name.startswith(('inside_musicnn.sound', 'soundfile'))])
""")
    assert said.strip() == "[]"
