// Light or dark as the book has it: the choice is kept where its theme keeps its own.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => { try { return localStorage.getItem("mode") || "auto"; } catch { return "auto"; } };
  const show = (mode) => {
    root.dataset.theme = mode === "auto" ? (dark.matches ? "dark" : "light") : mode;
  };
  show(stored());
  dark.addEventListener("change", () => show(stored()));
  addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", () => {
      const mode = root.dataset.theme === "dark" ? "light" : "dark";
      try { localStorage.setItem("mode", mode); localStorage.setItem("theme", mode); } catch { /* kept for this page alone */ }
      show(mode);
    });
  });
})();
