"""Several recordings in one run: a site for each, and on every page a way to the same page of the
other ones.

The way there is made of plain links, put into the theme's bar above each page when the site is
built; a small script of the site's own keeps the place on the page.
"""

import html
import shutil
from pathlib import Path

from making.running.plan import Plan, Recording
from making.running.title_page import read_config, short, sphinx_settings

FOLDER = "recordings"
SWITCH = Path(__file__).resolve().parent / "switch"  # template, style and script
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: {number} recordings</title>
{icon}<style>
:root {{ color-scheme: light dark; }}
body {{ max-width: 44rem; margin: 2rem auto; padding: 0 1rem; line-height: 1.5;
  font-family: system-ui, sans-serif; overflow-wrap: anywhere; }}
img {{ width: 7rem; }}
ul {{ padding: 0; list-style: none; }}
li a {{ display: block; margin: 0.8rem 0; padding: 0.8rem 1rem; border: 1px solid #8888;
  border-radius: 0.4rem; color: inherit; text-decoration: none; }}
li a:hover, li a:focus-visible {{ outline: 2px solid #c8443c; }}
li b {{ display: block; font-size: 1.15rem; }}
</style>
</head>
<body>
<main>
{logo}<h1>{title}</h1>
<p>The same book about {number} recordings. In the bar above each page you can change to the same
place of another recording.</p>
<ul>
{items}
</ul>
</main>
</body>
</html>
"""


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
    return PAGE.format(
        title=html.escape(title), number=len(recordings),
        icon=f'<link rel="icon" href="{icon}">\n' if icon else "",
        logo=f'<img src="{logo}" alt="">\n' if logo else "",
        items="\n".join(_item(recording) for recording in recordings),
    )


def _item(recording: Recording) -> str:
    start, model = recording.parameters.get("start", 0.0), recording.parameters.get("model")
    about = [short(recording.file.name), model,
             f"{start:.1f} s to {start + recording.seconds:.1f} s"]
    return (f'<li><a href="{recording.name}/index.html"><b>{html.escape(short(recording.title))}'
            f"</b>{html.escape(', '.join(filter(None, about)))}</a></li>")
