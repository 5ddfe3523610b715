"""The machine in a few words, without its name, and how busy others keep it."""

import os
import platform
import re
import subprocess
from pathlib import Path

import numpy as np
import psutil
from threadpoolctl import threadpool_info


def cores():
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def fewer_cores(count):
    """Numbers of cores to measure besides all: 1, 2, 4 and so on."""
    return [2**power for power in range(count.bit_length()) if 2**power < count]


INSTRUCTIONS = {"sse4_2": "SSE4.2", "avx": "AVX", "avx2": "AVX2", "fma": "FMA", "f16c": "F16C",
                "avx512f": "AVX-512F", "avx512bw": "AVX-512BW", "avx512_vnni": "AVX-512 VNNI",
                "avx512_bf16": "AVX-512 BF16", "amx_tile": "AMX", "asimd": "NEON", "sve": "SVE"}


def describe():
    """Processor by name, model and instruction sets, cores, memory, system and Python."""
    told = _cpuinfo()
    flags = told.get("flags", told.get("Features", "")).split()
    return {"processor": _processor(told), "model": _model(told),
            "instruction_sets": [name for flag, name in INSTRUCTIONS.items() if flag in flags],
            "virtual": "hypervisor" in flags, "matrix_products": _blas(), "cores": cores(),
            "memory_gb": round(psutil.virtual_memory().total / 2**30),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version()}


def _cpuinfo():
    """What Linux says of the first processor, by name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return {}
    return {name.strip(): value.strip() for name, _, value in (
        line.partition(":") for line in lines)}


def _model(told):
    """The numbers by which a maker tells its processors apart, such as "family 6, model 85"."""
    return ", ".join(f"{name.removeprefix('cpu ')} {told[name]}"
                     for name in ("cpu family", "model", "stepping") if name in told)


def _blas():
    """NumPy's library of matrix products, and for which processors it has chosen its code."""
    np.ones((2, 2)) @ np.ones((2, 2))
    found = [library for library in threadpool_info() if library["user_api"] == "blas"]
    return ", ".join(f"{library['internal_api']} {library['version']}"
                     + (f" for {library['architecture']}" if library.get("architecture") else "")
                     for library in found[:1])


def slug(processor):
    """The processor's name for a file name."""
    return re.sub(r"[^a-z0-9]+", "-", processor.lower()).strip("-")


def _processor(told):
    if "model name" in told:
        return told["model name"]
    try:
        brand = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"],
                               capture_output=True, text=True, check=True)
        return brand.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return platform.processor() or platform.machine()


class Load:
    """How many cores other programs kept busy while answers were measured."""

    def __init__(self):
        self.busy = self.own = self.seconds = 0.0
        self._before = None

    def start(self):
        self._before = _busy()

    def stop(self, seconds, own):
        """One answer of `seconds`, for which the peer used `own` processor seconds."""
        self.busy += _busy() - self._before
        self.own += own
        self.seconds += seconds

    def others(self):
        """Cores in use by others on average."""
        return max(0.0, (self.busy - self.own) / self.seconds) if self.seconds else 0.0


def _busy():
    """Seconds for which the machine's cores were busy since it started."""
    times = psutil.cpu_times()
    free = times.idle + getattr(times, "iowait", 0.0)
    return sum(times[:8]) - free  # further fields are counted in the first eight already
