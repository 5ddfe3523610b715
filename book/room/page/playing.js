// What is heard: the mix at 16 kHz, as the network has it, in the browser's own player.
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

class Player {
  constructor(player, moved) {
    Object.assign(this, { player, moved });
    this.until = Infinity;
    player.addEventListener("play", () => this.follow());
    player.addEventListener("seeked", () => moved(player.currentTime));
  }

  load(samples) {
    URL.revokeObjectURL(this.player.src);
    this.player.src = URL.createObjectURL(new Blob([waveFile(samples)], { type: "audio/wav" }));
  }

  follow() {
    const { player } = this;
    const step = STILL.matches ? 1 : 0; // seconds: for who asks for no motion, the cursor steps
    if (player.paused || Math.abs(player.currentTime - (this.told ?? -1)) >= step) this.moved(this.told = player.currentTime);
    if (player.currentTime >= this.until) { player.pause(); this.until = Infinity; }
    if (!player.paused) requestAnimationFrame(() => this.follow());
  }

  seek(seconds) {
    this.until = Infinity;
    if (Math.abs(this.player.currentTime - seconds) > 0.005) this.player.currentTime = seconds;
  }

  // One moment of a sound.
  play(from, to) {
    this.seek(Math.max(0, from));
    this.until = to;
    this.player.play();
  }
}

// Samples as a file, 16 bits.
function waveFile(samples) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + 2 * samples.length, true); text(8, "WAVEfmt ");
  [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, 16000, 4], [28, 32000, 4], [32, 2, 2], [34, 16, 2]].forEach(([at, value, size]) =>
    (size === 4 ? view.setUint32(at, value, true) : view.setUint16(at, value, true)));
  text(36, "data"); view.setUint32(40, 2 * samples.length, true);
  samples.forEach((value, i) => view.setInt16(44 + 2 * i, Math.max(-1, Math.min(1, value)) * 32767, true));
  return view.buffer;
}
