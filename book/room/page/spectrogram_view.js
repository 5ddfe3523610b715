// The spectrogram: the whole sound, to seek in, and the three seconds of one patch, with what wins.
const HERTZ = [100, 500, 1000, 2000, 4000, 7000];
const AT_ONCE = 5; // structures that are drawn at a moment

class SpectrogramView {
  constructor(room) {
    this.room = room;
    [this.whole, this.part, this.over] = ["whole", "part", "over"].map(find);
    const hear = (event) => {
      const { left, width } = this.whole.getBoundingClientRect();
      if (room.sound) room.at(((event.clientX - left) / width) * this.seconds, true);
    };
    this.whole.addEventListener("click", hear);
    find("moment").addEventListener("input", ({ target }) => room.at(Number(target.value), true));
    find("moment").addEventListener("change", () => keepState(room));
    find("hertz").replaceChildren(...HERTZ.map((hertz) => {
      const label = made("span", {}, hertz < 1000 ? `${hertz} Hz` : `${hertz / 1000} kHz`);
      label.style.bottom = `${((bandOf(hertz) + 0.5) / 96) * 100}%`;
      return label;
    }));
  }

  load(map) {
    this.map = map.slice(); // may be erased in
    this.frames = map.length / 96;
    this.seconds = this.frames * FRAME_SECONDS;
    find("moment").max = (this.room.sound.patches * PATCH - FRAME_SECONDS).toFixed(3);
    this.drawWhole();
  }

  drawWhole() {
    const width = Math.min(this.frames, 1200), step = this.frames / width;
    pictured(this.whole, width, 96, (x, y) => heat(this.map[Math.floor(x * step) * 96 + 95 - y] / MOST_DB));
  }

  // Shows where we are; draws the patch anew when another one is reached.
  cursor(moved) {
    const { patch, frame, seconds } = this.room;
    find("moment").value = seconds;
    find("moment").setAttribute("aria-valuetext", `${seconds.toFixed(1)} s`);
    find("here").style.left = `${(seconds / this.seconds) * 100}%`;
    find("now").style.left = `${((frame + 0.5) / 187) * 100}%`;
    const shown = find("shown-patch").style;
    shown.left = `${((patch * PATCH) / this.seconds) * 100}%`;
    shown.width = `${(PATCH / this.seconds) * 100}%`;
    if (moved) this.draw();
    this.light();
  }

  draw() {
    const first = this.room.patch * 187;
    pictured(this.part, 187, 96, (x, y) => heat(this.map[(first + x) * 96 + 95 - y] / MOST_DB));
  }

  // Frames around what wins at this moment, of the first network that is shown.
  light() {
    const { over, room } = this, pen = over.getContext("2d");
    over.width = 187 * 4;
    over.height = 96 * 4;
    const view = room.views[0];
    for (const { unit, place, share } of view ? view.winning(room.frame).slice(0, AT_ONCE) : []) {
      const { frames, bands } = unit.family, x = (room.frame - ((frames - 1) >> 1)) * 4, y = (96 - place - bands) * 4;
      for (const [colour, width] of [["#000", 4], ["#fff", 2]]) {
        pen.globalAlpha = 0.25 + 0.75 * share;
        pen.strokeStyle = colour;
        pen.lineWidth = width;
        pen.strokeRect(x, y, frames * 4, bands * 4);
      }
    }
  }
}
