"""The sub-command `unit`: what the weights say of one unit of a network."""

import json
from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from inside_musicnn.commands.options import Commands

if TYPE_CHECKING:
    from inside_musicnn.network.unit_facts import Link, UnitFacts

SHOWN = 6  # links that are printed of each kind


def add_unit(commands: Commands) -> None:
    """The sub-command `unit`: whether a unit lives, its kernel, what it reads and feeds."""
    parser = commands.add_parser(
        "unit", help="tell what a unit of the network is",
        description="Tell from the weights alone what a unit is: whether it lives, by which rule "
                    "and margin, its kernel, gain and offset, what it reads and what reads it.")
    add = parser.add_argument
    add("model", metavar="MODEL", help="MSD_musicnn or MTT_musicnn")
    add("layer", metavar="LAYER", help="cnn_1/out (rows of U), cnn_2/norm, cnn_3/norm, "
        "cnn_4/norm, dense/norm or tags/logits")
    add("unit", type=int, metavar="NUMBER", help="which unit, from 0")
    add("--json", action="store_true", help="all of it as JSON, with the kernel's numbers")
    parser.set_defaults(run=run_unit)


def run_unit(options: Namespace) -> None:
    """Print what is known."""
    from inside_musicnn.network.live_weights import stored_weights
    from inside_musicnn.network.unit_facts import unit_facts

    found = unit_facts(stored_weights(options.model), options.layer, options.unit)
    print(json.dumps(found.as_dict()) if options.json else "\n".join(_lines(found)))


def _lines(unit: "UnitFacts") -> Iterator[str]:
    """The facts as a text for readers."""
    head = f"{unit.model} {unit.layer} {unit.unit}"
    yield f"{head}{f' ({unit.family})' * bool(unit.family)}: {'live' if unit.alive else 'dead'}"
    yield (f"  kernel norm  {unit.norm:.4g}, {unit.norm / unit.threshold:.3g} times the "
           f"{unit.threshold:g} above which a unit lives")
    yield f"  bias         {unit.bias:.4g}"
    if unit.gain is not None:
        yield f"  gain, offset {unit.gain:.4g}, {unit.offset:.4g}"
    if unit.constant is not None:
        yield f"  gives        {unit.constant:.4g}, whatever the music"
    if unit.layer == "cnn_1/out" and unit.alive and unit.gain is not None:
        kind = "anti-correlation" if unit.gain < 0 else "correlation"
        yield f"  is           the largest {kind} with its kernel over frequency"
    if unit.kernel is not None:
        frames, rows = unit.kernel.shape
        what = "mel bands" if unit.layer == "cnn_1/out" else "live rows below"
        yield (f"  kernel       {frames} frames x {rows} {what}, {unit.kernel.min():.3g} to "
               f"{unit.kernel.max():.3g}")
    for name, links in (("reads", unit.reads), ("feeds", unit.feeds)):
        for layer in dict.fromkeys(link.layer for link in links):
            yield f"  {name:12} {layer}: {_told([link for link in links if link.layer == layer])}"


def _told(links: "Sequence[Link]") -> str:
    told = ", ".join(f"{link.unit} ({link.weight:.2g})" for link in links[:SHOWN])
    return told + (f" and {len(links) - SHOWN} more" if len(links) > SHOWN else "")
