"""A site is made lighter and stays what it was: every pixel, every file that a reader asks for."""

import numpy as np
from PIL import Image

from making.running.lighter_site import lighten_site, pack, sizes

RANDOM = np.random.default_rng(0)


def picture(file, alpha):
    """A smooth picture with some lines, as figures are."""
    x, y = np.meshgrid(np.arange(200), np.arange(120))
    colours = np.stack([x, y, x + y, np.broadcast_to(alpha, x.shape)], axis=2).astype(np.uint8)
    colours[::10] = [*RANDOM.integers(256, size=3), 255]
    Image.fromarray(colours, "RGBA").save(file)


def test_pictures_keep_every_pixel(tmp_path):
    for name, alpha in (("opaque", 255), ("clear", np.arange(200) % 256)):
        file = tmp_path / f"{name}.png"
        picture(file, alpha)
        with Image.open(file) as before:
            known, size = np.array(before.convert("RGBA")), file.stat().st_size
        pack(file)
        assert not file.exists()
        with Image.open(file.with_suffix(".webp")) as after:
            assert np.array_equal(np.array(after.convert("RGBA")), known)
        assert file.with_suffix(".webp").stat().st_size < size


def test_figures_are_named_anew_and_only_maps_go(tmp_path):
    for folder in ("_images", "_static/scripts", "book"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("theme.js", "theme.js.map", "theme.css.map"):
        (tmp_path / "_static" / "scripts" / name).write_text("x" * 10)
    picture(tmp_path / "_images" / "0a-1.png", 255)
    page = tmp_path / "book" / "page.html"
    page.write_text('<img src="../_images/0a-1.png" alt="é .png"><img src="elsewhere/0a-1.png">',
                    encoding="utf-8")
    (tmp_path / "index.html").write_text("none")
    lighten_site(tmp_path)
    assert page.read_text(encoding="utf-8") == (
        '<img src="../_images/0a-1.webp" alt="é .png"><img src="elsewhere/0a-1.png">')
    assert sorted(file.name for file in tmp_path.rglob("*.*")) == [
        "0a-1.webp", "index.html", "page.html", "theme.js"]
    found = sizes(tmp_path)
    assert found["_static"] == 10 and "units" not in found
    assert found["all"] == 14 + found["_images"] + found["book"] == sum(
        file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
