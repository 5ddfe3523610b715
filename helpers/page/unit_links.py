"""Links from chapters to the pages of the units.

Only the built site has these pages. So a chapter marks what it names, as a link without an address,
which is plain text in a notebook; `making.running.finish_site` gives it one where there is a page.
Units that do not live have none, and stay text.
"""

from helpers.page.values import FILTERS, Markdown, code, shown
from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import LAYERS, family_slices
from inside_musicnn.network.units import row_unit
from inside_musicnn.network.weights import check_model

U = "cnn_1/out"
LAYERS_OF_UNITS = ("cnn_1/out", "cnn_2/norm", "cnn_3/norm", "cnn_3/sum", "cnn_4/norm", "cnn_4/sum",
                   "dense/norm", "tags/logits")


def of_atlas(number: int, layer: str, model: str, text: str | Markdown = "") -> Markdown:
    """A unit, row or tag by its number, or by `text`: `<< unit | of_atlas("cnn_4/norm", model) >>`.

    Raises:
        InputError: units of this layer, or of this number, have no pages; another model.
    """
    check_model(model)
    if layer not in LAYERS_OF_UNITS:
        raise InputError(f"Units of '{layer}' have no pages; choose one of "
                         f"{', '.join(LAYERS_OF_UNITS)}.")
    if not 0 <= number < LAYERS[layer].shape[-1]:
        raise InputError(f"'{layer}' has no unit {number}; its units are 0 to "
                         f"{LAYERS[layer].shape[-1] - 1}.")
    return Markdown(f'<a data-unit="{model}/{layer.replace("/", "-")}/{number}">'
                    f"{shown(text or number)}</a>")


def named_unit(family: str, unit: int, model: str) -> Markdown:
    """A unit of CNN_1 by its family: `temporal_128` unit 22."""
    row = family_slices()[family].start + int(unit)
    return of_atlas(row, U, model, Markdown(f"{code(family)} unit {unit}"))


def named_row(row: int, model: str) -> Markdown:
    """The same from its row of U."""
    return named_unit(*row_unit(row), model)


FILTERS.update(of_atlas=of_atlas, named_unit=named_unit, named_row=named_row)
