// Several recordings in one site: a link to another recording keeps the place on the page.
(() => {
  "use strict";
  const LINE = 100; // pixels from the upper edge of the window, below the bar
  const top = (element) => element.getBoundingClientRect().top + window.scrollY;
  const sections = () => [...document.querySelectorAll("article section[id]")];
  const end = () => document.documentElement.scrollHeight;

  // The section at that line, and how far into it, from 0 to 1.
  function place() {
    const edge = window.scrollY + LINE;
    const all = sections();
    const at = all.findLastIndex((section) => top(section) <= edge);
    if (window.scrollY < 4 || at < 0) return null;
    const next = at + 1 < all.length ? top(all[at + 1]) : end();
    const part = (edge - top(all[at])) / Math.max(1, next - top(all[at]));
    return { id: all[at].id, part: Math.min(1, part) };
  }

  function go(id, part) {
    const all = sections();
    const at = all.findIndex((section) => section.id === id);
    if (at < 0) return;
    const next = at + 1 < all.length ? top(all[at + 1]) : end();
    const wanted = top(all[at]) + part * (next - top(all[at])) - LINE;
    window.scrollTo({ top: wanted, behavior: "instant" });
  }

  // The place travels in the address, which works from a folder as well as from a server.
  function mark(event) {
    const link = event.target.closest?.(".recordings a:not(.recordings__all)");
    if (!link) return;
    const address = new URL(link.href);
    const query = new URLSearchParams(window.location.search);
    const here = place();
    query.delete("at");
    query.delete("part");
    if (here) {
      query.set("at", here.id);
      query.set("part", here.part.toFixed(4));
    }
    address.search = query;
    address.hash = here ? "" : window.location.hash;
    link.href = address;
  }
  for (const kind of ["pointerdown", "focusin", "click"]) {
    document.addEventListener(kind, mark, true);
  }

  // Figures and formulas still change the page's length, so the place is found again after them.
  function arrive() {
    const query = new URLSearchParams(window.location.search);
    if (!query.has("at")) return;
    const id = query.get("at");
    const part = Number(query.get("part")) || 0;
    let free = false;
    for (const kind of ["wheel", "touchstart", "keydown", "pointerdown"]) {
      window.addEventListener(kind, () => { free = true; }, { once: true, passive: true });
    }
    const again = () => free || go(id, part);
    again();
    const watcher = new ResizeObserver(again);
    watcher.observe(document.body);
    window.addEventListener("load", () => {
      again();
      window.setTimeout(() => watcher.disconnect(), 4000);
    });
  }

  // The list of many recordings closes as a menu does.
  document.addEventListener("click", (event) => {
    for (const list of document.querySelectorAll(".recordings details[open]")) {
      if (!list.contains(event.target)) list.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const list = document.querySelector(".recordings details[open]");
    if (event.key === "Escape" && list) {
      list.open = false;
      list.querySelector("summary").focus();
    }
  });
  document.addEventListener("DOMContentLoaded", arrive);
})();
