// One network: its tags over time and now, what wins in CNN_1, and all its series.
const SHOWN_TAGS = 12, TOLD = 4; // tags; times a second that a list is written anew

class NetworkView {
  constructor(room, model) {
    Object.assign(this, { room, model, patches: [], units: [] });
    this.rows = made("tbody");
    this.winners = made("ol", { class: "winners" });
    this.series = made("canvas", { role: "img" });
    this.place = made("div", { class: "cursor", "aria-hidden": "true" });
    this.caption = made("figcaption");
    const tags = made("div", { class: "wide" }, made("table", {}, made("caption", {}, "Tags: choose one to see why"),
      made("thead", {}, made("tr", {}, ...["tag", "now", "mean", "over time"].map((text) => made("th", { scope: "col" }, text)))), this.rows));
    const below = made("div", {}, made("h3", {}, "What wins now"), this.winners,
      made("h3", {}, "The series"), made("figure", {}, made("div", { class: "series" }, this.series, this.place), this.caption));
    this.box = made("section", { "aria-label": model }, made("h2", {}, model), made("div", { class: "network" }, tags, below));
  }

  begin({ live, rows }, about, count) {
    Object.assign(this, { about, live, rowCount: rows, count });
    this.units = about.families.flatMap((family) => family.units.map((unit) => ({ family, unit, row: family.first + unit,
      name: `${family.name} unit ${unit}`, address: `../units/${this.model}/cnn_1-out/${family.first + unit}.html` })));
    this.most = new Float32Array(live);
    this.caption.textContent = `${rows} time series that live in this patch, top to bottom: ${live} of CNN_1, then those of CNN_2 and of the two sums. Red is above a row's mean, blue below.`;
    this.series.setAttribute("aria-label", `The ${rows} live series of ${this.model} over the three seconds that are shown`);
  }

  add(number, found) {
    this.patches[number] = found;
    for (let row = 0; row < this.live; row++) {
      for (let t = 0; t < 187; t++) this.most[row] = Math.max(this.most[row], found.series[row * 187 + t]);
    }
    this.stale ??= requestAnimationFrame(() => { this.stale = null; this.table(); if (this.room.patch === number) this.room.shown(this); });
  }

  get current() { return this.patches[this.room.patch]; }

  // Mean scores over the patches that are heard.
  means() {
    const known = this.patches.filter(Boolean);
    return this.about.labels.map((_, tag) => known.reduce((sum, { scores }) => sum + scores[tag], 0) / known.length);
  }

  table() {
    const means = this.means(), order = means.map((_, tag) => tag).sort((a, b) => means[b] - means[a]).slice(0, SHOWN_TAGS);
    const chosen = this.about.labels.indexOf(this.room.why.tag);
    if (chosen >= 0 && !order.includes(chosen)) order.push(chosen);
    const same = order.join() === this.order;
    this.order = order.join();
    if (!same) {
      this.rows.replaceChildren(...order.map((tag) => {
        const name = this.about.labels[tag];
        return made("tr", { "data-tag": tag }, made("th", { scope: "row" }, made("button", { type: "button", "aria-pressed": String(name === this.room.why.tag && this.room.why.view === this),
          onclick: () => this.choose(name) }, name)), made("td", {}, made("meter", { min: 0, max: 1, "aria-label": `${name} now` }), made("span")),
        made("td"), made("td", {}, made("canvas", { role: "img", "aria-label": `${name} over time` })));
      }));
    }
    for (const row of this.rows.rows) {
      const tag = row.dataset.tag;
      row.cells[2].textContent = means[tag].toFixed(3);
      pictured(row.querySelector("canvas"), this.count, 1, (x) => heat(this.patches[x]?.scores[tag] ?? 0));
    }
    this.now();
  }

  now() {
    for (const row of this.rows.rows) {
      const score = this.current?.scores[row.dataset.tag];
      if (score === undefined) continue;
      row.querySelector("meter").value = score;
      row.cells[1].querySelector("span").textContent = score.toFixed(3);
    }
  }

  choose(name) {
    this.room.why.choose(this, name).then(() => find("why").scrollIntoView({ block: "nearest" }));
  }

  // Live rows of CNN_1 that are on in a frame, the strongest beside their own highest first.
  winning(frame) {
    if (!this.current) return [];
    const { series, places } = this.current, found = [];
    this.units.forEach((unit, row) => {
      const value = series[row * 187 + frame];
      if (value > 0) found.push({ unit, place: places[row * 187 + frame], share: value / this.most[row] });
    });
    return found.sort((a, b) => b.share - a.share);
  }

  cursor(moved) {
    this.place.style.left = `${((this.room.frame + 0.5) / 187) * 100}%`;
    const time = performance.now();
    if (moved || !(time - this.told < 1000 / TOLD)) {
      this.told = time;
      this.winners.replaceChildren(...this.winning(this.room.frame).slice(0, AT_ONCE).map(({ unit, share }) =>
        made("li", {}, made("a", { href: unit.address }, unit.name), ` at ${Math.round(100 * share)} % of its highest here`)));
    }
    if (!moved || !this.current) return;
    this.now();
    const { series } = this.current, mean = new Float32Array(this.rowCount), far = new Float32Array(this.rowCount);
    for (let row = 0; row < this.rowCount; row++) {
      const line = series.subarray(row * 187, (row + 1) * 187);
      mean[row] = line.reduce((a, b) => a + b, 0) / 187;
      far[row] = line.reduce((most, value) => Math.max(most, Math.abs(value - mean[row])), 1e-9);
    }
    pictured(this.series, 187, this.rowCount, (x, y) => signed((series[y * 187 + x] - mean[y]) / far[y]));
  }
}
