"""The machine in a few words, without its name, and how busy others keep it."""

import os
import platform
import re
import subprocess
from pathlib import Path

import psutil


def cores():
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def fewer_cores(count):
    """Numbers of cores to measure besides all: 1, 2, 4 and so on."""
    return [2**power for power in range(count.bit_length()) if 2**power < count]


def describe():
    """Processor, cores, memory, system and Python."""
    return {"processor": _processor(), "cores": cores(),
            "memory_gb": round(psutil.virtual_memory().total / 2**30),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version()}


def slug(processor):
    """The processor's name for a file name."""
    return re.sub(r"[^a-z0-9]+", "-", processor.lower()).strip("-")


def _processor():
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
        if found:
            return found[1].strip()
    except OSError:
        pass
    try:
        told = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True,
                              text=True, check=True)
        return told.stdout.strip()
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
