"""Compiles the engine of `book/room/engine` to WebAssembly.

The module is kept beside its sources, so that nobody needs the compiler to build the book; what
it was made from stands in `engine.json`, and a test holds the two together.
"""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from inside_musicnn.checksums import of_bytes
from inside_musicnn.errors import InputError

SOURCES = Path(__file__).resolve().parents[2] / "book" / "room"
MODULE, MADE_FROM = SOURCES / "engine.wasm", SOURCES / "engine.json"
COMPILER = "0.17.1"  # of the package ziglang: requirements-room.txt
FLAGS = ("-target", "wasm32-freestanding", "-O3", "-msimd128", "-ffp-contract=off", "-nostdlib",
         "-Wl,--no-entry", "-Wl,--export=__heap_base", "-Wl,--strip-all")


def made_from() -> dict[str, Any]:
    """What the module follows from: compiler, flags, and checksums of the sources."""
    files = sorted((SOURCES / "engine").iterdir())
    return {"compiler": f"ziglang {COMPILER}", "flags": list(FLAGS),
            "sources": {file.name: of_bytes(file.read_bytes()) for file in files}}


def compiled() -> bytes:
    """The module, made anew; the same bytes everywhere.

    Raises:
        InputError: there is no compiler, or it refuses the sources.
    """
    if find_spec("ziglang") is None:
        raise InputError("The compiler is not installed: pip install -r "
                         "making/room/requirements-room.txt")
    sources = sorted(str(file.relative_to(SOURCES)) for file in SOURCES.glob("engine/*.c"))
    with TemporaryDirectory() as folder:
        target = Path(folder, "engine.wasm")
        done = subprocess.run([sys.executable, "-m", "ziglang", "cc", *FLAGS, "-o", str(target),
                               *sources], cwd=SOURCES, capture_output=True, text=True)
        if done.returncode:
            raise InputError(f"The engine cannot be compiled: {done.stderr.strip()}")
        return target.read_bytes()


def stored() -> dict[str, Any]:
    """What is written of the module that is kept."""
    return json.loads(MADE_FROM.read_text(encoding="utf-8"))


def write() -> str:
    """Compile, and keep the module with what it was made from; returns a line on it."""
    module = compiled()
    MODULE.write_bytes(module)
    about = {**made_from(), "module": of_bytes(module)}
    MADE_FROM.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return f"{MODULE.name}: {len(module)} bytes, SHA-256 {of_bytes(module)}"
