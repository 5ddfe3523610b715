"""Imitates other processors by environment variables, for child processes alone.

    python tests/arithmetic/processors.py nehalem -m pytest -m numeric
    python tests/arithmetic/processors.py haswell -m inside_musicnn build

The second word names the processor, the rest is what Python runs. TensorFlow's matrix library
oneDNN, NumPy's OpenBLAS and NumPy itself then choose the code that they have for that processor,
with shorter vectors, without fused multiplication and addition, and in another order.
"""

import os
import sys

PROCESSORS = {
    # Intel since 2013: 256 bits, fused multiplication and addition.
    "haswell": {"ONEDNN_MAX_CPU_ISA": "AVX2", "OPENBLAS_CORETYPE": "Haswell"},
    # Intel of 2008: 128 bits, in the C library's sines, too. NumPy's names are those that version
    # 2.4 knows; it ignores older ones.
    "nehalem": {"ONEDNN_MAX_CPU_ISA": "SSE41", "OPENBLAS_CORETYPE": "Nehalem",
                "NPY_DISABLE_CPU_FEATURES": "X86_V3,X86_V4,AVX512_ICL,AVX512_SPR",
                "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA"},
    # The same, NumPy left alone.
    "nehalem-blas": {"ONEDNN_MAX_CPU_ISA": "SSE41", "OPENBLAS_CORETYPE": "Nehalem"},
    # Intel since 2017: 512 bits; and TensorFlow's own code in place of oneDNN.
    "skylake": {"TF_ENABLE_ONEDNN_OPTS": "0", "OPENBLAS_CORETYPE": "SkylakeX"},
}


def environment(name: str) -> dict[str, str]:
    """The environment of a child process that is to imitate this processor."""
    return os.environ | PROCESSORS[name]


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in PROCESSORS:
        sys.exit(f"usage: {sys.argv[0]} {'|'.join(PROCESSORS)} arguments for python")
    os.execve(sys.executable, [sys.executable, *sys.argv[2:]], environment(sys.argv[1]))
