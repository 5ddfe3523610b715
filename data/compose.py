"""Write the clips of this folder: MIDI from Python, sound from fluidsynth.

    python data/compose.py                     # everything
    python data/compose.py disco piano         # some clips only
    python data/compose.py --midi-only         # no sound
"""

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
if str(HERE) not in sys.path:  # so that this file can also be loaded from its path
    sys.path.insert(0, str(HERE))

import _listing  # noqa: E402
from styles import CLIPS  # noqa: E402


def write_midi(clip, folder):
    """Write the MIDI file of a clip under `folder` and return its path."""
    target = Path(folder) / _listing.entry(clip)["midi"]
    target.parent.mkdir(parents=True, exist_ok=True)
    clip.midi().write(str(target))
    return target


def write_sound(clip, midi_file, folder, font):
    """Render a clip and print its size and peak."""
    import _render

    target = Path(folder) / _listing.entry(clip)["file"]
    peak = _render.render(midi_file, target, font, clip.room, clip.push)
    print(f"{target.name}: {target.stat().st_size / 1000:.0f} kB, peak {peak:.2f}")


def write_listing(folder):
    """Write clips.json, and the table of README.md where there is one."""
    folder = Path(folder)
    (folder / "clips.json").write_text(_listing.clips_json(CLIPS), encoding="utf-8")
    readme = folder / "README.md"
    if readme.is_file():
        text = readme.read_text(encoding="utf-8")
        readme.write_text(_listing.with_table(text, CLIPS), encoding="utf-8")


def arguments(argv):
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name",
                        help="clips to write (all of them if none is named)")
    parser.add_argument("--midi-only", action="store_true", help="do not render any sound")
    parser.add_argument("--output", type=Path, default=HERE, metavar="DIR",
                        help="folder to write to (this one by default)")
    parser.add_argument("--soundfont", type=Path, metavar="FILE",
                        help="SoundFont file (Debian's FluidR3_GM.sf2 by default)")
    options = parser.parse_args(argv)
    unknown = set(options.names) - {clip.name for clip in CLIPS}
    if unknown:
        parser.error(f"no clip is called {', '.join(sorted(unknown))}; "
                     f"choose from {', '.join(clip.name for clip in CLIPS)}")
    return options


def main(argv=None):
    """Compose, render and list the clips; return the exit status."""
    options = arguments(argv)
    font = None
    if not options.midi_only:
        import _render

        font = options.soundfont or _render.FONT
        try:
            _render.check_tools(font)
        except _render.MissingTool as problem:
            print(problem, file=sys.stderr)
            return 1
    for clip in CLIPS:
        if not options.names or clip.name in options.names:
            midi_file = write_midi(clip, options.output)
            if font:
                write_sound(clip, midi_file, options.output, font)
    write_listing(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
