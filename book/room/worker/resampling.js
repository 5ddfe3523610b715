// From any rate to 16 kHz by a windowed sinc, as steep as the one that the command uses.
const RATE = 16000;
const PASSED = 0.914; // part of the band that is left as it is
const ATTENUATION = 135; // dB, of what would fold back
const SAMPLES_AT_ONCE = 8192;

class Resampler {
  constructor(memory, rate) {
    const divisor = greatest(rate, RATE);
    this.memory = memory;
    this.rate = rate;
    this.versions = RATE / divisor;
    this.step = rate / divisor;
    const band = Math.min(RATE, rate) / rate; // of the file's, 1: all
    const width = Math.PI * band * (1 - PASSED); // from what is passed to what is not
    this.taps = Math.ceil((ATTENUATION - 8) / (2.285 * width) / 16) * 16;
    this.filters = memory.filled(Float32Array, this.designed(band * (1 + PASSED) / 2));
    const reach = Math.ceil((SAMPLES_AT_ONCE * this.step) / this.versions) + this.taps + 8;
    this.in = memory.take(Float32Array, reach);
    this.out = memory.take(Float32Array, SAMPLES_AT_ONCE);
  }

  designed(cut) {
    const { taps, versions } = this, found = new Float32Array(taps * versions);
    const beta = 0.1102 * (ATTENUATION - 8.7), middle = taps / 2 - 1;
    for (let version = 0; version < versions; version++) {
      const filter = new Float64Array(taps);
      let sum = 0;
      for (let tap = 0; tap < taps; tap++) {
        const away = tap - middle - version / versions, part = (2 * away) / taps;
        const sinc = away === 0 ? cut : Math.sin(Math.PI * cut * away) / (Math.PI * away);
        filter[tap] = sinc * bessel(beta * Math.sqrt(Math.max(0, 1 - part * part)));
        sum += filter[tap];
      }
      filter.forEach((value, tap) => { found[version * taps + tap] = value / sum; });
    }
    return found;
  }

  of(samples) {
    const { versions, step, taps, memory } = this;
    const count = Math.ceil(samples.length * (RATE / this.rate)), found = new Float32Array(count);
    for (let first = 0; first < count; first += SAMPLES_AT_ONCE) {
      const many = Math.min(SAMPLES_AT_ONCE, count - first);
      const from = Math.floor((first * step) / versions) - (taps / 2 - 1);
      const scratch = this.in.values.fill(0);
      scratch.set(samples.subarray(Math.max(from, 0), Math.max(from + scratch.length, 0)),
        Math.max(-from, 0));
      memory.engine.resample(this.in.at, this.filters.at, versions, taps,
        Math.floor(step / versions), step % versions, (first * step) % versions, this.out.at, many);
      found.set(this.out.values.subarray(0, many), first);
    }
    return found;
  }
}

const greatest = (a, b) => (b ? greatest(b, a % b) : a);

// The modified Bessel function of order zero, by its series.
function bessel(x) {
  let sum = 1, term = 1;
  for (let k = 1; term > 1e-12 * sum; k++) sum += term *= (x / (2 * k)) ** 2;
  return sum;
}
