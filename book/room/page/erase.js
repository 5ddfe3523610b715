// Erases a part of the spectrogram of the patch that is shown, drawn by hand or told in numbers; the
// forecast of the exact sum stands beside what the network answers.
class Erase {
  constructor(room) {
    this.room = room;
    this.form = find("erase");
    this.field = find("part").parentElement;
    this.mark = find("marked");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const [from, to, low, high] = ["from", "to", "low", "high"].map((name) => Number(this.form.elements[name].value));
      this.erase(Math.round(from / FRAME_SECONDS), Math.round(to / FRAME_SECONDS), bandAt(low), bandAt(high) + 1);
    });
    find("draw").addEventListener("change", ({ target }) => this.field.classList.toggle("drawing", target.checked));
    this.field.addEventListener("pointerdown", (event) => this.begin(event));
    this.field.addEventListener("pointermove", (event) => this.begun && this.show(event));
    this.field.addEventListener("pointerup", (event) => this.begun && this.end(event));
    find("unerase").addEventListener("click", () => this.undo());
  }

  clear() {
    find("erased").textContent = "";
    find("unerase").hidden = true;
  }

  // Frame and band, from the bottom, under a pointer.
  under({ clientX, clientY }) {
    const { left, top, width, height } = this.field.getBoundingClientRect();
    const inside = (share, count) => Math.min(Math.max(Math.floor(share * count), 0), count - 1);
    return [inside((clientX - left) / width, 187), inside(1 - (clientY - top) / height, 96)];
  }

  begin(event) {
    if (!find("draw").checked || !this.room.sound) return;
    this.begun = this.under(event);
    this.field.setPointerCapture(event.pointerId);
    this.show(event);
  }

  corners(event) {
    const [[a, b], [c, d]] = [this.begun, this.under(event)];
    return [Math.min(a, c), Math.max(a, c) + 1, Math.min(b, d), Math.max(b, d) + 1];
  }

  show(event) {
    const [from, to, low, high] = this.corners(event), { style } = this.mark;
    this.mark.hidden = false;
    [style.left, style.right] = [`${(from / 187) * 100}%`, `${(1 - to / 187) * 100}%`];
    [style.bottom, style.top] = [`${(low / 96) * 100}%`, `${(1 - high / 96) * 100}%`];
  }

  end(event) {
    const corners = this.corners(event);
    this.mark.hidden = true;
    this.begun = null;
    return this.erase(...corners);
  }

  async erase(from, to, low, high) {
    const { room } = this, { why } = room, number = room.patch, { map } = room.spectrogram;
    [from, to] = [Math.max(from, 0), Math.min(to, 187)];
    if (!(from < to && low < high)) return;
    const { found, tag, view } = why;
    let forecast = found?.logit;
    for (let t = from; t < to; t++) {
      for (let band = low; band < high; band++) {
        const at = (number * 187 + t) * 96 + band;
        if (found) forecast -= found.slopes[t * 96 + band] * map[at];
        map[at] = 0;
      }
    }
    await room.engine.ask("erase", { number, from, to, low, high });
    await this.again(number);
    const { bands } = Engine.given, place = `${(from * FRAME_SECONDS).toFixed(2)} to ${(to * FRAME_SECONDS).toFixed(2)} s of this patch, about ${Math.round(bands[low])} to ${Math.round(bands[high - 1])} Hz`;
    const answer = found && view.patches[number].logits[view.about.labels.indexOf(tag)];
    find("erased").textContent = `Erased: ${place}.${found ? ` “${tag}” was ${score(found.logit).toFixed(3)}. The exact sum forecasts a logit of ${told3(forecast)}, a score of ${score(forecast).toFixed(3)}; the network answers ${told3(answer)}, a score of ${score(answer).toFixed(3)}.` : " Choose a tag before, and the forecast of the exact sum is told, too."}`;
    find("unerase").hidden = false;
  }

  // Asks all networks anew for a patch whose spectrogram has changed.
  async again(number) {
    const { room } = this;
    for (const view of room.views) view.add(number, await room.engine.ask("patch", { model: view.model, number }));
    room.spectrogram.drawWhole();
    room.spectrogram.draw();
    await room.why.moved();
  }

  async undo() {
    const { room } = this, { map } = room.sound;
    room.spectrogram.map.set(map);
    await room.engine.ask("see", { map });
    for (let number = 0; number < room.sound.patches; number++) {
      for (const view of room.views) view.add(number, await room.engine.ask("patch", { model: view.model, number }));
    }
    this.clear();
    await this.again(room.patch);
  }
}

// The band, from 0 on, in which a frequency lies.
const bandAt = (hertz) => {
  const band = bandOf(hertz);
  return band < 0 ? 95 : Math.min(Math.max(Math.round(band), 0), 95);
};
