// What if? Structures held, halved or doubled, the sound made louder, duller, faster: what the exact
// sum forecasts, and what the network really answers.
const CHANGED = ["gain", "low-pass", "speed"];

class Change {
  constructor(room) {
    this.room = room;
    this.factors = {};
    for (const id of CHANGED) find(id).addEventListener("change", () => this.sound());
    for (const id of CHANGED) find(id).addEventListener("input", () => this.read());
    find("undo").addEventListener("click", () => this.undo());
    this.read();
  }

  // Another sound is there, or the same one `changed` from here.
  clear(changed = false) {
    if (!changed) {
      this.base = this.room.sound;
      find("moved").hidden = true;
      for (const id of CHANGED) find(id).value = find(id).defaultValue;
      this.read();
    }
    this.factors = {};
    this.told();
  }

  moved() { this.told(); }

  // Buttons of one row of the table.
  controls({ unit, row }) {
    const factor = this.factors[row] ?? 1, set = (value) => { this.factors[row] = value; this.told(); };
    const choice = made("select", { "aria-label": `How far ${unit.name} goes from usual`, onchange: ({ target }) =>
      (target.value === "solo" ? this.solo(row) : set(Number(target.value))) },
      ...[[1, "as it is"], [0, "muted"], [0.5, "halved"], [2, "doubled"], ["solo", "alone"]].map(([value, text]) =>
        made("option", { value, selected: value === factor }, text)));
    return [choice];
  }

  solo(row) {
    this.room.why.view.units.forEach((_, other) => { this.factors[other] = other === row ? 1 : 0; });
    this.room.why.show();
    this.told();
  }

  undo() {
    this.factors = {};
    if (this.room.why.found) this.room.why.show();
    this.told();
  }

  // The forecast beside what really happens, for the patch that is shown.
  async told() {
    const { why } = this.room, { view, found, tag } = why;
    const changed = Object.values(this.factors).some((factor) => factor !== 1);
    find("undo").hidden = find("outcome").hidden = !(changed && found);
    if (!changed || !found) return;
    const factors = view.units.map((_, row) => this.factors[row] ?? 1), number = this.room.patch;
    const forecast = found.logit + why.sums.reduce((sum, each) => sum + (factors[each.row] - 1) * each.sum, 0);
    const real = await this.room.engine.ask("patch", { model: view.model, number, factors });
    if (number !== this.room.patch || found !== why.found) return;
    const logit = real.logits[view.about.labels.indexOf(tag)], was = view.patches[number].scores;
    find("outcome-sum").textContent = `“${tag}” was ${score(found.logit).toFixed(3)}. The exact sum forecasts a logit of ${told3(forecast)}, a score of ${score(forecast).toFixed(3)}; the network answers ${told3(logit)}, a score of ${score(logit).toFixed(3)}. They part where a choice above changes: a unit switched on or off, another moment that is the highest.`;
    const moved = view.about.labels.map((name, at) => ({ name, was: was[at], is: real.scores[at] }))
      .sort((a, b) => Math.abs(b.is - b.was) - Math.abs(a.is - a.was)).slice(0, 5);
    find("outcome-rows").replaceChildren(...moved.map(({ name, was: before, is }) => made("tr", {}, made("th", { scope: "row" }, name),
      made("td", {}, before.toFixed(3)), made("td", {}, is.toFixed(3)))));
  }

  read() {
    const values = { gain: Number(find("gain").value), low: 2 ** find("low-pass").value, speed: 2 ** (find("speed").value / 12) };
    const texts = { gain: `${values.gain > 0 ? "+" : ""}${values.gain} dB`, "low-pass": values.low > 7900 ? "none" : `${Math.round(values.low)} Hz`, speed: `× ${values.speed.toFixed(2)}` };
    for (const [id, text] of Object.entries(texts)) {
      find(`${id}-value`).textContent = text;
      find(id).setAttribute("aria-valuetext", text);
    }
    return values;
  }

  // The sound that was given, changed.
  async sound() {
    const { base, room } = this, { gain, low, speed } = this.read();
    if (!base) return;
    const { tag } = room.why;
    if (room.sound === base) this.before = Object.fromEntries(room.views.map((view) => [view.model, view.means()]));
    await room.open(async () => {
      let { samples } = base;
      if (low <= 7900) samples = await duller(samples, low);
      if (gain) samples = samples.map((value) => value * 10 ** (gain / 20));
      const rate = speed === 1 ? 16000 : Math.round(16000 * speed / 160) * 160; // faster: as if it had been recorded so
      return { ...base, channels: [samples], rate };
    }, { seconds: 0, tag, changed: true });
    this.compare();
  }

  // Which tags have moved most, in the mean over the patches.
  compare() {
    const rows = this.room.views.flatMap(({ model, about }, at) => {
      const was = this.before?.[model], is = was && this.room.views[at].means();
      return (was ?? []).map((score, tag) => ({ model, name: about.labels[tag], was: score, is: is[tag] }));
    }).sort((a, b) => Math.abs(b.is - b.was) - Math.abs(a.is - a.was)).slice(0, 5);
    find("moved").hidden = !rows.length;
    find("moved-rows").replaceChildren(...rows.map(({ model, name, was, is }) => made("tr", {}, made("th", { scope: "row" }, name),
      made("td", {}, model), made("td", {}, was.toFixed(3)), made("td", {}, is.toFixed(3)))));
  }
}

// Samples without what lies above a frequency, 24 dB per octave.
async function duller(samples, hertz) {
  const context = new OfflineAudioContext(1, samples.length, 16000), source = context.createBufferSource();
  source.buffer = new AudioBuffer({ length: samples.length, sampleRate: 16000 });
  source.buffer.copyToChannel(samples, 0);
  const filters = [0.54, 1.31].map((Q) => new BiquadFilterNode(context, { type: "lowpass", frequency: hertz, Q: 20 * Math.log10(Q) }));
  source.connect(filters[0]).connect(filters[1]).connect(context.destination);
  source.start();
  return (await context.startRendering()).getChannelData(0);
}
