"""Write what is known about the clips: clips.json and the table in README.md."""

import json

LICENCE = "CC0-1.0"
START, END = "<!-- clips: start -->", "<!-- clips: end -->"
COLUMNS = ("File", "Title", "Style", "Tempo", "Key", "Instruments", "Licence")


def entry(clip):
    """Return the description of a clip as it stands in clips.json."""
    return {
        "name": clip.name,
        "title": clip.title,
        "style": clip.style,
        "tempo": clip.tempo,
        "key": clip.key,
        "instruments": list(clip.instruments),
        "licence": LICENCE,
        "file": f"{clip.name}.ogg",
        "midi": f"midi/{clip.name}.mid",
    }


def clips_json(clips):
    """Return the text of clips.json."""
    return json.dumps([entry(clip) for clip in clips], indent=2, ensure_ascii=False) + "\n"


def table(clips):
    """Return the Markdown table of the clips."""
    rows = [COLUMNS, tuple("---" for _ in COLUMNS)]
    for clip in clips:
        about = entry(clip)
        rows.append((f"`{about['file']}`", about["title"], about["style"],
                     f"{about['tempo']:g} BPM", about["key"],
                     ", ".join(about["instruments"]), about["licence"]))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def with_table(text, clips):
    """Return the text of a README with the table between its two marks replaced."""
    before, rest = text.split(START)
    after = rest.split(END)[1]
    return f"{before}{START}\n{table(clips)}\n{END}{after}"
