// The dB mel spectrogram of samples at 16 kHz, as chapter 3 has it.
const SIZE = 512, HOP = 256, BANDS = 96;
const FRAMES_AT_ONCE = 512;
const HALVES = 0x7c00; // numbers of half precision from 0 on, less infinity

class Spectrogram {
  // `filters`: for each band its first bin, the one after its last, and its weights in a row.
  constructor(memory, { edges, weights }) {
    this.memory = memory;
    const angles = Float64Array.from({ length: SIZE / 2 }, (_, i) => (2 * Math.PI * i) / SIZE);
    this.turns = memory.filled(Float64Array, [...angles.map(Math.cos), ...angles.map(Math.sin)]);
    this.window = memory.filled(Float64Array, Array.from({ length: SIZE },
      (_, i) => 0.5 + 0.5 * Math.cos(-Math.PI + (2 * Math.PI * i) / SIZE)));
    this.edges = memory.filled(Int32Array, edges);
    this.filters = memory.filled(Float32Array, weights);
    this.decibels = memory.filled(Float32Array, Float32Array.from({ length: HALVES }, (_, bits) =>
      Math.log10(Math.fround(Math.fround(10000 * fromHalf(bits)) + 1))));
    this.samples = memory.take(Float32Array, (FRAMES_AT_ONCE + 1) * HOP);
    this.out = memory.take(Float32Array, FRAMES_AT_ONCE * BANDS);
  }

  // Half a window of silence stands before the first sample and after the last.
  of(samples) {
    const frames = 1 + Math.floor(samples.length / HOP), found = new Float32Array(frames * BANDS);
    for (let first = 0; first < frames; first += FRAMES_AT_ONCE) {
      const count = Math.min(FRAMES_AT_ONCE, frames - first), from = (first - 1) * HOP;
      const seen = samples.subarray(Math.max(from, 0), from + (count + 1) * HOP);
      const scratch = this.samples.values.fill(0);
      scratch.set(seen, Math.max(-from, 0));
      this.memory.engine.spectrogram(this.samples.at, count, this.window.at, this.turns.at,
        this.edges.at, this.filters.at, this.decibels.at, this.out.at);
      found.set(this.out.values.subarray(0, count * BANDS), first * BANDS);
    }
    return found;
  }
}

function fromHalf(bits) {
  const exponent = bits >> 10, rest = bits & 1023;
  return exponent ? 2 ** (exponent - 15) * (1 + rest / 1024) : 2 ** -24 * rest;
}
