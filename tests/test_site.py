"""The built site, opened in a browser at two widths: figures, formulas, players, links."""

import json
import re
import sys
from urllib.parse import unquote, urldefrag, urljoin

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT

from making.running.chapters import read_pages
from making.running.lighter_site import sizes

PAGES = [page.file.with_suffix(".html").as_posix() for page in read_pages(ROOT)]
CHAPTERS = [page.file.with_suffix(".html").as_posix() for page in read_pages(ROOT)
            if page.is_chapter]
SIZES = {"desktop": (1300, 900), "phone": (390, 844)}
LARGEST_PAGE = 3_000_000  # bytes of HTML
LARGEST_SITE = 95e6  # bytes without the room; 16e6 of them is what units would hear best
LARGEST_UNIT = 400_000  # bytes of a page of the units or of the room
MOST_MEMORY = 2e9  # bytes of a kernel: what a free Binder or Colab gives with ease

# What a page shows, seen from inside it. Text in code, and formulas already set, is left out.
LOOK = r"""async () => {
  const soon = (promise) => Promise.race([promise, new Promise(r => setTimeout(r, 5000, null))]);
  if (window.MathJax?.startup) await soon(MathJax.startup.promise);
  const images = [...document.querySelectorAll("main img")];
  await soon(Promise.all(images.map(image => image.decode().catch(() => null))));
  const plain = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT, {
    acceptNode: node => node.parentElement.closest("pre, code, mjx-container, script, style")
      ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT});
  let text = "";
  while (plain.nextNode()) text += plain.currentNode.data + "\n";
  const players = await Promise.all([...document.querySelectorAll("audio")].map(async audio => {
    if (!(audio.duration > 0)) {
      const ready = new Promise(done => audio.addEventListener("loadedmetadata", done));
      audio.load();
      await soon(ready);
    }
    return audio.duration || 0;
  }));
  return {
    text, players,
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    // Wider than the window, and in no box of the article that scrolls or cuts.
    wide: [...document.querySelectorAll("article *")].filter(element => {
      const box = element.getBoundingClientRect();
      if (box.width === 0 || box.right <= window.innerWidth + 1) return false;
      for (let up = element.parentElement; up.tagName !== "ARTICLE"; up = up.parentElement)
        if (getComputedStyle(up).overflowX !== "visible") return false;
      return true;
    }).map(element => element.outerHTML.slice(0, 200)),
    images: images.map(image => ({
      alt: image.getAttribute("alt") || "", width: image.naturalWidth, source: image.src,
      figure: !!image.closest(".cell_output")})),
    // Not the theme's buttons, nor what is drawn for another width.
    drawings: [...document.querySelectorAll(".cell_output svg")].filter(
      svg => !svg.closest("button, [aria-hidden=true]") && svg.checkVisibility()).map(svg => ({
        width: svg.getBoundingClientRect().width,
        label: svg.getAttribute("aria-label") || svg.querySelector("title")?.textContent || ""})),
    formulas: [...document.querySelectorAll(".math")].map(
      math => [math.textContent, !!math.querySelector("mjx-container")]),
    // MathJax sets an unknown command in red.
    errors: document.querySelectorAll(
      "merror, mjx-merror, [data-mjx-error], mjx-container [style*='color: red']").length,
  };
}"""

# Lines of code that are wider than their box; those in folded cells have no box.
CODE = """() => [...document.querySelectorAll("article .highlight pre")].filter(
  code => code.scrollWidth > code.clientWidth + 1 && code.clientWidth > 0).map(
  code => code.textContent.slice(0, 200))"""


@pytest.fixture(scope="module")
def visit(browser, served_site):
    """Function that opens a page at a size, once, and tells what was seen and what went wrong."""
    seen = {}

    def open_page(name, size):
        if (name, size) not in seen:
            seen[name, size] = look(browser, served_site, name, SIZES[size])
        return seen[name, size]

    return open_page


def look(browser, address, name, size):
    trouble, foreign = [], []

    def only_ours(route):
        if route.request.url.startswith(address):
            return route.continue_()
        foreign.append(route.request.url)
        return route.abort()

    context = browser.new_context(viewport=dict(zip(("width", "height"), size, strict=True)))
    context.route("**/*", only_ours)
    page = context.new_page()
    page.on("console", lambda said: said.type == "error" and trouble.append(said.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("requestfailed", lambda request: trouble.append(f"failed: {request.url}"))
    page.on("response", lambda answer: answer.status >= 400 and trouble.append(
        f"{answer.status}: {answer.url}"))
    page.goto(address + name, wait_until="load")
    page.wait_for_load_state("networkidle")
    result = page.evaluate(LOOK)
    result["wide_code"] = page.evaluate(CODE)
    page.emulate_media(media="print")
    result["cut_code"] = page.evaluate(CODE)
    context.close()
    return result | {"trouble": trouble, "foreign": foreign}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page", PAGES)
def test_page_opens_cleanly(visit, page, size):
    seen = visit(page, size)
    assert seen["foreign"] == [], "the page asks other hosts"
    assert seen["trouble"] == []
    assert seen["overflow"] <= 0, "the page scrolls sideways"
    assert seen["wide"] == [], "something is wider than the page"
    assert seen["cut_code"] == [], "printed code is cut off"
    assert size == "phone" or seen["wide_code"] == [], "code is wider than the page"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page", CHAPTERS)
def test_chapter_has_its_figures(visit, page, size):
    seen = visit(page, size)
    assert seen["drawings"] or any(image["figure"] for image in seen["images"])
    assert all(drawing["width"] > 0 for drawing in seen["drawings"])
    assert [image["source"] for image in seen["images"] if image["width"] == 0] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_figure_is_told_in_words(visit, page):
    seen = visit(page, "desktop")
    # Without words of its own a figure gets its file's path.
    untold = [image["source"] for image in seen["images"]
              if not image["alt"].strip() or re.search(r"_images/|\.(png|svg)$", image["alt"])]
    assert untold == []
    assert all(drawing["label"].strip() for drawing in seen["drawings"])


@pytest.mark.parametrize("page", PAGES)
def test_formulas_are_set(visit, page):
    seen = visit(page, "desktop")
    assert [source for source, is_set in seen["formulas"] if not is_set] == []
    assert seen["errors"] == 0
    raw = re.findall(r"\\[(\[]|\$\$|\{[a-z:]+\}`[^`]*`|<<|<%", seen["text"])
    assert raw == [], "source text of a formula, a role or a value on the page"


@pytest.mark.parametrize("page", PAGES)
def test_players_can_play(visit, page):
    assert all(duration > 0 for duration in visit(page, "phone")["players"])


def test_there_are_formulas_and_players_somewhere(visit):
    seen = [visit(page, "desktop") for page in CHAPTERS]
    assert sum(len(page["formulas"]) for page in seen) > 0
    assert sum(len(page["players"]) for page in seen) > 0


def test_the_address_alone_leads_to_the_first_page(browser, served_site):
    page = browser.new_page()
    page.goto(served_site)
    page.wait_for_url(served_site + PAGES[0])
    page.close()


def test_the_contents_open_on_a_phone(browser, served_site):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(served_site + PAGES[1])
    link = page.locator(f".bd-sidebar-primary a[href$='{PAGES[-1].split('/')[-1]}']")
    assert not link.is_visible()
    page.locator("button.primary-toggle:visible").click()
    link.wait_for(state="visible", timeout=5000)
    link.click()
    page.wait_for_url(served_site + PAGES[-1])
    page.close()


def test_search_finds_a_word(browser, served_site):
    page = browser.new_page()
    page.goto(served_site + "search.html?q=musicnn")
    page.locator("#search-results li a").first.wait_for(timeout=10_000)
    page.close()


@pytest.fixture(scope="module")
def documents(built_site):
    """All HTML files of the site: path -> parsed document."""
    site = built_site / "site"
    return {file.relative_to(site).as_posix(): BeautifulSoup(file.read_text(), "html.parser")
            for file in sorted(site.rglob("*.html")) if "_static" not in file.parts}


def test_every_page_of_the_contents_is_there(documents):
    assert set(PAGES) <= set(documents)


def test_no_link_is_broken(built_site, documents):
    site = built_site / "site"
    anchors = {name: {tag["id"] for tag in page.find_all(id=True)}
               for name, page in documents.items()}
    broken = []
    for name, page in documents.items():
        for tag in page.find_all(["a", "img", "link", "script", "source"]):
            target = tag.get("href") or tag.get("src")
            if not target or re.match(r"[a-z]+:", target):
                continue
            path, anchor = urldefrag(urljoin(name, target))
            path, anchor = unquote(path).split("?")[0], unquote(anchor)
            if not (site / path).is_file():
                broken.append(f"{name}: {target}")
            elif anchor and path in anchors and anchor not in anchors[path]:
                broken.append(f"{name}: {target}")
    assert broken == []


def test_nothing_is_loaded_from_elsewhere(documents):
    loaded = [f"{name}: {tag}" for name, page in documents.items()
              for tag in page.find_all(["script", "link", "img", "iframe", "audio", "source"])
              if re.match(r"(https?:)?//", tag.get("src") or tag.get("href") or "")]
    assert loaded == []


def test_pages_are_not_huge(built_site):
    sizes = {page: (built_site / "site" / page).stat().st_size for page in PAGES}
    assert {page: size for page, size in sizes.items() if size > LARGEST_PAGE} == {}


def test_the_site_is_not_heavy(built_site):
    """With all its sounds, but for those that the listening room has as bytes to compute with; and
    each page of the units and of the room without its own."""
    manifest = json.loads((built_site / "manifest.json").read_text())
    weight = sizes(built_site / "site")
    assert manifest["bytes"] == weight
    assert weight["all"] - weight["room"] <= LARGEST_SITE, weight
    heavy = {file.name: file.stat().st_size for part in ("units", "room")
             for file in (built_site / "site" / part).rglob("*.html")
             if file.stat().st_size > LARGEST_UNIT}
    assert heavy == {}
    assert not [*(built_site / "site").rglob("*.map")]


def test_no_path_of_this_machine(built_site):
    texts = [file for file in (built_site / "site").rglob("*")
             if file.suffix in (".html", ".ipynb", ".md", ".txt") or file.name == "searchindex.js"]
    for file in texts:
        text = file.read_text(errors="replace")
        for path in (str(ROOT), str(built_site.parent), sys.prefix):
            assert path not in text, f"{path} in {file.name}"


def test_no_chapter_needs_much_memory(built_site):
    manifest = json.loads((built_site / "manifest.json").read_text())
    assert set(manifest["memory"]) == set(manifest["chapters"])
    assert all(2e7 < used < MOST_MEMORY for used in manifest["memory"].values()), manifest["memory"]
