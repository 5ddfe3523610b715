// Why this tag? The logit of one patch as an exact sum of structures and moments.
const TOLD_STRUCTURES = 10, AROUND = 0.35; // seconds before and after a moment that is heard

class Why {
  constructor(room) {
    this.room = room;
    this.clear();
    find("lay").addEventListener("change", () => this.lay());
    find("close-why").addEventListener("click", () => this.clear());
  }

  clear() {
    [this.view, this.tag, this.found] = [null, "", null];
    find("why").hidden = true;
    this.lay();
    for (const button of document.querySelectorAll("#networks [aria-pressed]")) button.setAttribute("aria-pressed", "false");
  }

  async choose(view, tag) {
    if (!view.about.labels.includes(tag)) return this.room.say(`${view.model} has no tag '${tag}'; choose one from the table.`, true);
    if (view !== this.view) this.room.change.factors = {}; // other rows
    [this.view, this.tag] = [view, tag];
    for (const each of this.room.views) each.table();
    for (const button of document.querySelectorAll("#networks [aria-pressed]")) {
      button.setAttribute("aria-pressed", String(view.box.contains(button) && button.textContent === tag));
    }
    await this.moved();
    keepState(this.room);
  }

  // Asks anew for the patch that is shown.
  async moved() {
    const { room, view, tag } = this, number = room.patch;
    if (!view || number < 0) return;
    const found = await room.engine.ask("why", { model: view.model, number, tag: view.about.labels.indexOf(tag), withBins: true });
    if (number !== room.patch || tag !== this.tag || view !== this.view) return;
    this.found = found;
    this.sums = view.units.map((unit, row) => {
      const line = found.structures.subarray(row * 187, (row + 1) * 187);
      let best = 0, sum = 0;
      line.forEach((value, t) => { sum += value; if (Math.abs(value) > Math.abs(line[best])) best = t; });
      return { unit, row, sum, best };
    });
    this.show();
    room.change.told();
  }

  show() {
    const { view, tag, found, sums } = this;
    const ordered = [...sums].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum)), told = ordered.slice(0, TOLD_STRUCTURES);
    const rest = ordered.slice(TOLD_STRUCTURES).reduce((sum, each) => sum + each.sum, 0);
    const most = Math.max(Math.abs(rest), Math.abs(found.constant), ...told.map(({ sum }) => Math.abs(sum)));
    find("why").hidden = false;
    find("why-title").textContent = `Why “${tag}”?`;
    find("why-sum").textContent = `${view.model}, ${find("patch").textContent}: the score ${score(found.logit).toFixed(3)} is the sigmoid of the logit ${told3(found.logit)}. The logit is exactly the sum of this table: the constant is what the network says when every structure is as usual and its choices are those of this sound; each structure adds how far it was from usual, times what that is worth.`;
    find("why-rows").replaceChildren(
      this.row("The constant", found.constant, most),
      ...told.map(({ unit, row, sum, best }) => this.row(made("a", { href: unit.address }, unit.name), sum, most, { unit, row, best })),
      this.row(`All ${ordered.length - told.length} others`, rest, most));
    this.overTime();
    this.lay();
  }

  row(name, value, most, moment) {
    const bar = made("span", { class: value > 0 ? "up" : "down" });
    bar.style.width = `${(50 * Math.abs(value)) / most}%`;
    const cells = [made("th", { scope: "row" }, name), made("td", { class: "number" }, told3(value)), made("td", { class: "bar" }, bar), made("td"), made("td")];
    if (moment) {
      const seconds = this.room.patch * PATCH + moment.best * FRAME_SECONDS;
      cells[3].append(made("button", { type: "button", onclick: () => this.hear(moment, seconds) }, `Hear ${seconds.toFixed(1)} s`));
      cells[4].append(...this.room.change.controls(moment));
    }
    return made("tr", {}, ...cells);
  }

  // Hears the moment to which a structure owes most, and shows its kernel where it was found.
  hear({ unit, row, best }, seconds) {
    const { room, view } = this;
    room.at(seconds, true);
    room.player.play(seconds - AROUND, seconds + AROUND);
    find("won").textContent = `${unit.name} was found from mel band ${view.current.places[row * 187 + best]} on.`;
  }

  // The sum of all structures at each moment.
  overTime() {
    const sums = new Float32Array(187);
    this.found.structures.forEach((value, at) => { sums[at % 187] += value; });
    const most = Math.max(...sums.map(Math.abs), 1e-9);
    pictured(find("moments"), 187, 1, (x) => signed(sums[x] / most));
  }

  // Contributions of the bins over the spectrogram: red raise the tag, blue lower it.
  lay() {
    const show = find("lay").checked && this.found;
    find("laid").hidden = !show;
    find("part").classList.toggle("grey", Boolean(show));
    if (!show) return;
    const { bins } = this.found, sizes = bins.map(Math.abs).sort(), most = sizes[Math.floor(0.995 * sizes.length)] || 1e-9;
    pictured(find("laid"), 187, 96, (x, y) => {
      const share = bins[x * 96 + 95 - y] / most;
      return share > 0 ? [255, 60, 40, 255 * Math.min(share, 1)] : [70, 160, 255, 255 * Math.min(-share, 1)];
    });
  }
}

const score = (logit) => 1 / (1 + Math.exp(-logit));
const told3 = (value) => value.toFixed(3).replace("-", "−");
