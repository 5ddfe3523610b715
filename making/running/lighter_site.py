"""A built site made lighter, without anything that a reader sees or downloads being lost."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from inside_musicnn.cores import count_cores

OPAQUE = (255, 255)
PARTS = ("book", "_images", "_static", "_sources", "units", "room")  # whose sizes are told


def lighten_site(site: Path) -> None:
    """Take away source maps, which only those need who develop the theme, and write the figures
    anew: the same pixels, without an alpha channel that says nothing.

    Args:
        site: what Jupyter Book built.
    """
    for file in (site / "_static").rglob("*.map"):
        file.unlink()
    with ThreadPoolExecutor(count_cores()) as pool:
        list(pool.map(pack, (site / "_images").glob("*.png")))


def pack(file: Path) -> None:
    """Write a PNG anew where that makes it smaller; every pixel stays as it is."""
    from PIL import Image  # not for those who build nothing

    with Image.open(file) as image:
        image.load()
        facts = {"dpi": image.info["dpi"]} if "dpi" in image.info else {}
        if image.mode == "RGBA" and image.getextrema()[3] == OPAQUE:
            image = image.convert("RGB")
        packed = io.BytesIO()
        image.save(packed, "PNG", **facts)
    if packed.tell() < file.stat().st_size:
        file.write_bytes(packed.getvalue())


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
