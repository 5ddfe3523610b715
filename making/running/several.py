"""Several recordings in one run: a site for each, and on every page a way to the same page of the
other ones.

The way there is made of plain links, put into the theme's bar above each page when the site is
built; a small script of the site's own keeps the place on the page.
"""

import shutil
from pathlib import Path

from making.running.plan import Plan, Recording
from making.running.templates import page
from making.running.title_page import read_config, short, sphinx_settings

FOLDER = "recordings"
SWITCH = Path(__file__).resolve().parent / "switch"  # template, style and script


def place(plan: Plan, recording: Recording, folder: Path) -> Path:
    """The folder in which the site of a recording is made: its own if there are several."""
    return folder / FOLDER / recording.name if plan.is_several else folder


def add_switch(config: dict, recordings: list[Recording], current: Recording,
               folder: Path) -> None:
    """Let the site of one recording lead to the others: the theme shows a template of ours."""
    shutil.copytree(SWITCH, folder / "book" / "_switch")
    settings = sphinx_settings(config)
    settings.setdefault("templates_path", []).append("book/_switch/templates")
    settings.setdefault("html_static_path", []).append("book/_switch/static")
    settings.setdefault("html_css_files", []).append("recordings.css")
    settings.setdefault("html_js_files", []).append("recordings.js")
    settings.setdefault("html_context", {}).update({
        "recording": current.name,
        "recordings": [{"name": each.name, "title": short(each.title)} for each in recordings],
    })
    settings.setdefault("html_theme_options", {})["article_header_start"] = [
        "toggle-primary-sidebar.html", "recordings.html"]


def gather(plan: Plan, folder: Path) -> None:
    """Move the sites of the recordings together, and write the first page that lists them."""
    site = folder / "site"
    site.mkdir()
    for recording in plan.recordings:
        shutil.move(place(plan, recording, folder) / "site", site / recording.name)
    title = read_config(plan.root).get("title", "Book")
    (site / "index.html").write_text(first_page(plan.recordings, title, site), encoding="utf-8")


def first_page(recordings: list[Recording], title: str, site: Path) -> str:
    """The page that lists the recordings."""
    static = f"{recordings[0].name}/_static"
    icon, logo = (file if (site / file).is_file() else None
                  for file in (f"{static}/favicon.svg", f"{static}/logo.svg"))
    listed = [{"name": each.name, "title": short(each.title), "about": _about(each)}
              for each in recordings]
    return page("all_recordings.html", title=title, icon=icon, logo=logo, recordings=listed)


def _about(recording: Recording) -> list[str]:
    start, model = recording.parameters.get("start", 0.0), recording.parameters.get("model")
    return list(filter(None, [short(recording.file_name), model,
                              f"{start:.1f} s to {start + recording.seconds:.1f} s"]))
