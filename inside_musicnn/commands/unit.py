"""The sub-command `unit`: what a unit of a network is, from the weights, and what it does on music,
from the table of the units where that is at hand."""

import json
from argparse import Namespace
from collections.abc import Iterable, Iterator
from typing import Any

from inside_musicnn.commands.options import Commands

SHOWN, TAGS = 6, 4  # links, and tags, that are printed of each kind
NO_TABLE = ("What it does on music stands on its page, and in data/units of the book's repository: "
            "this command prints it when it runs in a copy of that.")


def add_unit(commands: Commands) -> None:
    """The sub-command `unit`: whether a unit lives, its kernel, what it reads, feeds and does."""
    parser = commands.add_parser(
        "unit", help="tell what a unit of the network is",
        description="Tell what a unit is: from the weights, whether it lives, by which rule and "
                    "margin, its kernel, gain and offset, what it reads and what reads it; and "
                    "from the table of the units, where the book's repository is at hand, how it "
                    "is active on music, what it raises and lowers, and how it answers probes.")
    add = parser.add_argument
    add("model", metavar="MODEL", help="MSD_musicnn or MTT_musicnn")
    add("layer", metavar="LAYER", help="cnn_1/out (rows of U), cnn_2/norm, cnn_3/norm, "
        "cnn_4/norm, cnn_3/sum, cnn_4/sum, dense/norm or tags/logits")
    add("unit", type=int, metavar="NUMBER", help="which unit, from 0")
    add("--json", action="store_true", help="its record as JSON, as beside its page; without the "
        "table, what the weights say of it")
    parser.set_defaults(run=run_unit)


def run_unit(options: Namespace) -> None:
    """Print what is known."""
    from inside_musicnn.atlas import FILE, plain, units
    from inside_musicnn.network.live_weights import stored_weights
    from inside_musicnn.network.unit_facts import unit_facts

    kept = stored_weights(options.model)
    found = unit_facts(kept, options.layer, options.unit)  # refuses what there is not
    record, lines = plain(found.record()), []
    if FILE.is_file():
        atlas = units(options.model)
        record = atlas[options.layer, options.unit]
        lines = list(on_music(record, kept.labels, atlas.basis))
    if options.json:
        print(json.dumps(record, ensure_ascii=False, separators=(",", ":")))
        return
    print("\n".join([*of_weights(record), *lines]))
    if not FILE.is_file() and found.alive:
        print(f"  {NO_TABLE}")


def of_weights(unit: dict[str, Any]) -> Iterator[str]:
    """What the weights say, as a text for readers."""
    head = f"{unit['model']} {unit['layer']} {unit['number']}"
    name = f" ({unit['name']})" if unit["name"] != f"{unit['layer']} {unit['number']}" else ""
    yield f"{head}{name}: {'live' if unit['alive'] else 'dead'}"
    yield (f"  kernel norm  {unit['norm']:.3g}, {unit['times_threshold']:.3g} times the "
           f"{unit['threshold']:g} above which a unit lives")
    if "bias" in unit:
        yield f"  bias         {unit['bias']:.3g}"
        yield f"  gain, offset {unit['gain']:.3g}, {unit['offset']:.3g}"
    if "constant" in unit:
        yield f"  gives        {unit['constant']:.3g}, whatever the music"
    if unit["layer"] == "cnn_1/out" and unit["alive"]:
        yield f"  is           the largest {unit['sense']} with its kernel over frequency"
    if "kernel" in unit:
        rows = unit["kernel"]
        weights = [weight for row in rows for weight in row]
        yield (f"  kernel       {len(rows)} frames x {len(rows[0])} mel bands, "
               f"{min(weights):.3g} to {max(weights):.3g}")
    for name in ("reads", "feeds"):
        links = unit.get(name, [])
        if links:
            of = "strength" if all("strength" in link for link in links) else "size of the weights"
            for layer in dict.fromkeys(link["layer"] for link in links):
                yield f"  {name:12} {layer}: " + ", ".join(
                    f"{link['number']} ({_strength(link):.2g})" for link in links
                    if link["layer"] == layer) + f"; in brackets: {of}"


def _strength(link: dict[str, Any]) -> float:
    return link.get("strength", sum(weight**2 for weight in link["weights"]) ** 0.5)


def on_music(unit: dict[str, Any], labels: list[str], basis: str) -> Iterator[str]:
    """What was measured, as a text for readers; nothing of dead units."""
    if "mean" in unit:
        yield (f"  on music     mean {unit['mean']:.3g}, standard deviation "
               f"{unit['deviation']:.3g}; over {basis}")
    if "description_test" in unit:
        test = unit["description_test"]
        said = f"most active where {unit['description']}" if "description" in unit else (
            "none that passed the test; the best")
        yield (f"  in words     {said}: rank correlation {test['score']:.2f} ({test['low']:.2f} to "
               f"{test['high']:.2f}) on {test['recordings']} recordings that did not choose them; "
               f"other units' words stay below {test['null']:.2f} in 19 of 20 cases")
    if "contribution" in unit:
        given, held = unit["contribution"], unit["held"]
        for name, turn in (("raises", 1), ("lowers", -1)):
            yield f"  {name:12} " + (_moved(given, turn, labels) or "no tag for certain")
        ends = {"mean": "mean", "low": "high", "high": "low"}
        lost = {end: [-each for each in held[other]] for end, other in ends.items()
                if other in held}
        yield "  loses        without it, " + (" and ".join(filter(None, (
            _moved(lost, turn, labels, 2) for turn in (1, -1)))) or "no tag for certain")
        yield "               (logits, mean over recordings; in brackets the 95 % interval)"
    for moment in unit.get("highest", []):
        yield (f"  highest      {moment['value']:.3g} at {moment['seconds']:.1f} s of "
               f"{whose(moment['recording'])}")
    for name, curve in unit.get("tuning", {}).items():
        best = curve["mean"].index(max(curve["mean"]))
        yield (f"  {name:12} highest at {curve['values'][best]:.3g} {curve['unit']}: "
               f"{curve['mean'][best]:.3g} ({curve['low'][best]:.3g} to "
               f"{curve['high'][best]:.3g} over probes), lowest {min(curve['mean']):.3g}")
    for field, what, likeness, chance in (
            ("like_activity", "activity", "correlation", "correlation_by_chance"),
            ("like_kernel", "kernel", "cosine", "cosine_by_chance")):
        if unit.get(field):
            near = ", ".join(f"{each['number']} ({each[likeness]:.2f})" for each in unit[field])
            yield f"  nearest      by {what}: {near}; by chance below {unit[chance]:.2f}"


def _moved(of: dict[str, list[float]], turn: int, labels: list[str], most: int = TAGS) -> str:
    """The tags that are moved most one way, those whose whole interval lies there."""
    certain = [tag for tag in range(len(labels))
               if "low" in of and min(turn * of["low"][tag], turn * of["high"][tag]) > 0]
    certain.sort(key=lambda tag: -turn * of["mean"][tag])
    return _listed(f"{labels[tag]} {of['mean'][tag]:.2g} ({of['low'][tag]:.2g} to "
                   f"{of['high'][tag]:.2g})" for tag in certain[:most])


def _listed(some: Iterable[str]) -> str:
    return ", ".join(some)


def whose(recording: str) -> str:
    """A recording's title, author and licence."""
    from inside_musicnn.sound.shipped import clip_facts

    facts = clip_facts(recording)
    return f"'{facts['title']}', {facts['author']} ({facts['licence']})"
