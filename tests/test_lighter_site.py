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
    Image.fromarray(colours, "RGBA").save(file, dpi=(96, 96), compress_level=1)


def test_pictures_keep_every_pixel(tmp_path):
    for name, alpha in (("opaque", 255), ("clear", np.arange(200) % 256)):
        file = tmp_path / f"{name}.png"
        picture(file, alpha)
        with Image.open(file) as before:
            known, size = np.array(before.convert("RGBA")), file.stat().st_size
        pack(file)
        with Image.open(file) as after:
            assert np.array_equal(np.array(after.convert("RGBA")), known)
            assert after.mode == ("RGB" if name == "opaque" else "RGBA")
            assert round(after.info["dpi"][0]) == 96
        assert file.stat().st_size < size
        packed = file.read_bytes()
        pack(file)
        assert file.read_bytes() == packed  # no smaller, so it stays


def test_only_maps_go(tmp_path):
    (tmp_path / "_images").mkdir()
    (tmp_path / "_static" / "scripts").mkdir(parents=True)
    for name in ("theme.js", "theme.js.map", "theme.css.map"):
        (tmp_path / "_static" / "scripts" / name).write_text("x" * 10)
    picture(tmp_path / "_images" / "figure.png", 255)
    (tmp_path / "index.html").write_text("four")
    lighten_site(tmp_path)
    assert sorted(file.name for file in tmp_path.rglob("*.*")) == [
        "figure.png", "index.html", "theme.js"]
    found = sizes(tmp_path)
    assert found["_static"] == 10 and "units" not in found
    assert found["all"] == 14 + found["_images"] == sum(
        file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
