// The room: what is chosen, what is heard, and who is told of it.
const shipped = {}; // sounds/*.js: the files of recordings, as text, by name
const PATCH = 187 * 256 / 16000, FRAME_SECONDS = 256 / 16000; // seconds
const TOLD_PATCHES = 10; // from one word on the progress to the next: some readers hear each
const find = (id) => document.getElementById(id);

class Room {
  constructor() {
    this.engine = new Engine();
    this.sound = null; // what is heard: samples, map, patches, name
    this.turn = 0; // of sounds: what was asked of an earlier one is dropped
    this.views = [];
    this.patch = 0;
    this.player = new Player(find("player"), (seconds) => this.at(seconds));
    this.spectrogram = new SpectrogramView(this);
    this.why = new Why(this);
    this.change = new Change(this);
    this.erase = new Erase(this);
    this.queue = Promise.resolve();
  }

  get models() { return find("network").value === "both" ? MODELS : [find("network").value]; }

  say(text, wrong = false) {
    find("said").textContent = text;
    find("said").classList.toggle("wrong", wrong);
  }

  // Takes a sound from `source`, which gives channels, their rate and a name; one after the other.
  open(source, keep = {}) {
    const turn = ++this.turn;
    this.queue = this.queue.then(async () => {
      if (turn !== this.turn) return;
      try {
        this.say("Reading the sound …");
        const { channels, rate, name, credit = "", original } = await source();
        await this.engine.ready;
        const heard = await this.engine.ask("hear", { channels, rate, shown: name });
        this.sound = { ...heard, name, credit, original };
        await this.show(turn, keep);
      } catch (error) {
        this.say(error.message, true);
      }
    });
    return this.queue;
  }

  async show(turn, keep) {
    const { sound } = this;
    find("heard").hidden = false;
    find("credit").replaceChildren(sound.credit);
    find("notes").replaceChildren(...sound.notes.map((note) => made("li", {}, note)));
    this.player.load(sound.samples);
    this.patch = -1;
    this.spectrogram.load(sound.map);
    this.why.clear();
    this.change.clear(keep.changed);
    this.erase.clear();
    await this.hearAll(turn, keep);
  }

  // All patches of all chosen networks, shown as they come.
  async hearAll(turn, keep = {}) {
    this.views = this.models.map((model) => new NetworkView(this, model));
    find("networks").replaceChildren(...this.views.map((view) => view.box));
    find("networks").dataset.count = this.views.length;
    this.at(keep.seconds ?? 0, true);
    for (const view of this.views) {
      this.say(`Opening ${view.model} …`);
      view.begin(await this.engine.load(view.model), this.engine.about[view.model], this.sound.patches);
    }
    for (let number = 0; number < this.sound.patches; number++) {
      for (const view of this.views) {
        const found = await this.engine.ask("patch", { model: view.model, number });
        if (turn !== this.turn) return;
        view.add(number, found);
      }
      if (number % TOLD_PATCHES === 0) this.say(`Heard ${number + 1} of ${this.sound.patches} patches …`);
    }
    this.say(`${this.sound.name}: ${(this.sound.samples.length / 16000).toFixed(1)} s, ${this.sound.patches} patch${this.sound.patches > 1 ? "es" : ""}.`);
    if (keep.tag) await this.why.choose(this.views[0], keep.tag);
    keepState(this);
  }

  // What a network says of the patch that is shown has come.
  shown(view) {
    view.cursor(true);
    this.spectrogram.light();
  }

  // The moment that is heard, in seconds; the patch in which it lies is shown.
  at(seconds, seek = false) {
    if (!this.sound) return;
    const last = this.sound.patches - 1, patch = Math.min(Math.floor(seconds / PATCH), last);
    const frame = Math.min(Math.floor((seconds - patch * PATCH) / FRAME_SECONDS), 186);
    if (seek) this.player.seek(seconds);
    const moved = patch !== this.patch;
    [this.patch, this.frame, this.seconds] = [patch, frame, seconds];
    this.spectrogram.cursor(moved);
    for (const view of this.views) view.cursor(moved);
    if (moved) {
      this.why.moved();
      this.change.moved();
      find("patch").textContent = `${(patch * PATCH).toFixed(1)} to ${((patch + 1) * PATCH).toFixed(1)} s`;
    }
  }
}

// A node with attributes and children.
function made(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

const MODELS = ["MSD_musicnn", "MTT_musicnn"];
const LACKING = [["WebAssembly", () => typeof WebAssembly === "object"],
  ["workers", () => typeof Worker === "function"],
  ["decoding of sound", () => typeof OfflineAudioContext === "function"],
  ["unpacking of data (DecompressionStream)", () => typeof DecompressionStream === "function"]];

addEventListener("DOMContentLoaded", () => {
  const lacks = LACKING.filter(([, there]) => !there()).map(([name]) => name);
  if (lacks.length) {
    find("said").textContent = `This browser lacks ${lacks.join(" and ")}, which the room needs; a current Chromium, Firefox or Safari has it.`;
    return;
  }
  window.room = new Room();
  sources(window.room);
  restoreState(window.room);
});
