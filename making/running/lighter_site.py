"""A built site made lighter, without anything that a reader sees or downloads being lost."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from inside_musicnn.cores import count_cores

OPAQUE = (255, 255)
FIGURE = re.compile(r"_images/([\w.-]+)\.png\b")
PARTS = ("book", "_images", "_static", "_sources", "units", "room")  # whose sizes are told


def lighten_site(site: Path) -> None:
    """Take away source maps, which only those need who develop the theme, and write the figures
    as WebP: the same pixels in half the bytes.

    Args:
        site: what Jupyter Book built.
    """
    for file in (site / "_static").rglob("*.map"):
        file.unlink()
    with ThreadPoolExecutor(count_cores()) as pool:
        list(pool.map(pack, (site / "_images").glob("*.png")))
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        named = FIGURE.sub(lambda found: found[0] if (site / found[0]).is_file()
                           else f"_images/{found[1]}.webp", text)
        if named != text:
            page.write_text(named, encoding="utf-8")


def pack(file: Path) -> None:
    """Put a WebP in a PNG's place; every pixel stays as it is."""
    from PIL import Image  # not for those who build nothing

    with Image.open(file) as opened:
        image: Image.Image = opened
        if image.mode == "RGBA" and image.getchannel("A").getextrema() == OPAQUE:
            image = image.convert("RGB")
        image.save(file.with_suffix(".webp"), lossless=True, exact=True, method=2, quality=30)
    file.unlink()


def sizes(site: Path) -> dict[str, int]:
    """Bytes of a site's parts, and of "all"."""
    found = dict.fromkeys(PARTS, 0)
    whole = 0
    for file in site.rglob("*"):
        if file.is_file():
            size, part = file.stat().st_size, file.relative_to(site).parts[0]
            whole += size
            if part in found:
                found[part] += size
    return {name: size for name, size in found.items() if size} | {"all": whole}
