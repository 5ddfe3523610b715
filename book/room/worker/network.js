// The compact network, as inside_musicnn/network/compact.py has it: one patch at a time. Rows are
// those that vary; row i, times `gain`, plus `steady`, is a row of the original's tensor.
const FRAMES = 187, COUNT = 192; // of a patch, and these in whole blocks of the engine
const BEFORE = 63, WIDE = 320; // frames before a patch, and of a row with both borders: CNN_1
const HALF = 3, NARROW = 200; // the same for kernels of seven frames
const FOUR = 4; // kernels side by side
const WAVES = 49, SEVEN = 7; // of the transform of 96 bands; frames of the kernels of many bands

class Network {
  constructor(memory, about, numbers) {
    Object.assign(this, { memory, about, engine: memory.engine });
    let at = 0;
    this.of = {}; // every array by its name
    for (const [name, shape] of Object.entries(about.arrays)) {
      const size = shape.reduce((a, b) => a * b, 1);
      this.of[name] = numbers.subarray(at, (at += size));
    }
    this.map = memory.take(Float32Array, BANDS * WIDE);
    this.map.values.fill(about.silence);
    this.waves = new Waves(memory);
    this.families = about.families.filter((each) => each.units.length)
      .map((each) => new (each.bands > 1 ? OverBands : Family)(memory, each, this.of));
    this.live = this.families.reduce((sum, each) => sum + each.count, 0);
    const below = { 2: this.live, 3: about.live[2].length, 4: about.below[4].length };
    this.cnn = {};
    for (const number of [2, 3, 4]) {
      this.cnn[number] = new Rows(memory, below[number], about.live[number].length,
        (name) => this.of[`cnn_${number}/${name}`]);
    }
    // Where the rows below and what is added to them lie in each sum.
    const places = (some, all) => some.map((row) => all.indexOf(row));
    this.into = { 3: [places(about.below[3], about.below[4]), places(about.live[3], about.below[4])],
      4: [places(about.below[4], about.below.sum), places(about.live[4], about.below.sum)] };
    this.parts = [this.live, about.live[2].length, about.below[4].length, about.below.sum.length];
    this.rows = about.rows.length;
    this.units = this.of["dense/bias"].length;
  }

  // What varies in U, (live, 187), and where in frequency each value was found, from a patch,
  // (187, 96).
  first(patch) {
    const map = this.map.values;
    for (let band = 0; band < BANDS; band++) {
      for (let t = 0; t < FRAMES; t++) map[band * WIDE + BEFORE + t] = patch[t * BANDS + band];
    }
    this.waves.take(this.map);
    const u = new Float32Array(this.live * FRAMES), places = new Uint8Array(u.length);
    let row = 0;
    for (const family of this.families) {
      family.find(this.map, this.waves);
      family.give(u.subarray(row * FRAMES), places.subarray(row * FRAMES));
      row += family.count;
    }
    return { u, places };
  }

  // All that is above U: the series, (rows, 187), what passes each ReLU, and the tags.
  above(u) {
    const series = new Float32Array(this.rows * FRAMES);
    series.set(u);
    const [one, two, three] = [1, 2, 3].map((part) => series.subarray(FRAMES * this.begin(part),
      FRAMES * this.begin(part + 1)));
    const passed = { 2: this.cnn[2].run(u) };
    one.set(passed[2]);
    passed[3] = this.cnn[3].run(one);
    this.sum(3, scaled(one, this.cnn[2].gain), passed[3], two);
    passed[4] = this.cnn[4].run(two);
    this.sum(4, two, passed[4], three);
    return { series, passed, ...this.final(series) };
  }

  begin(part) { return this.parts.slice(0, part).reduce((a, b) => a + b, 0); }

  // Fills a sum: what came before it plus a normalised output.
  sum(number, before, values, total) {
    const [below, added] = this.into[number], { gain } = this.cnn[number];
    below.forEach((to, row) => total.set(before.subarray(row * FRAMES, (row + 1) * FRAMES), to * FRAMES));
    added.forEach((to, row) => {
      for (let t = 0; t < FRAMES; t++) total[to * FRAMES + t] += values[row * FRAMES + t] * gain[row];
    });
  }

  // Pooling and both dense layers.
  final(series) {
    const { of, rows, units } = this, dense = Float64Array.from(of["dense/bias"]);
    const largest = new Int32Array(rows); // the frame of each row's maximum
    for (let row = 0; row < rows; row++) {
      const sign = of["dense/gain"][row] < 0 ? -1 : 1, at = row * FRAMES; // falling: a minimum
      let best = 0, mean = 0;
      for (let t = 0; t < FRAMES; t++) {
        mean += series[at + t];
        if (sign * series[at + t] > sign * series[at + best]) best = t;
      }
      mean /= FRAMES;
      largest[row] = best;
      const top = series[at + best], first = row * units;
      for (let unit = 0; unit < units; unit++) {
        dense[unit] += top * of["dense/kernel_max"][first + unit] + mean * of["dense/kernel_mean"][first + unit];
      }
    }
    const tags = this.about.labels.length, logits = Float64Array.from(of["dense/bias_tags"]);
    dense.forEach((value, unit) => {
      if (value > 0) for (let tag = 0; tag < tags; tag++) logits[tag] += value * of["dense/kernel_tags"][unit * tags + tag];
    });
    return { largest, dense, logits, scores: Float32Array.from(logits, (each) => 1 / (1 + Math.exp(-each))) };
  }
}

// One family of CNN_1: correlation, the largest over frequency, bias, ReLU.
class Family {
  constructor(memory, { name, frames, bands, units }, of) {
    Object.assign(this, { memory, frames, bands, count: units.length });
    this.shift = BEFORE - ((frames - 1) >> 1); // where its windows begin in a row of the map
    this.kernel = of[`${name}/kernel`]; // units, frames, bands
    this.sign = of[`${name}/sign`];
    this.bias = of[`${name}/bias`];
    this.blocks = Math.ceil(this.count / FOUR);
    this.weights = memory.filled(Float32Array, this.arranged());
    this.largest = memory.take(Float32Array, this.blocks * FOUR * WIDE);
    this.places = memory.take(Int32Array, this.blocks * FOUR * WIDE);
  }

  weight(unit, band, frame) { return this.kernel[(unit * this.frames + frame) * this.bands + band]; }

  arranged() { return inFours(this.count, this.bands, this.frames, this.weight.bind(this)); }

  find(map) {
    this.memory.engine.correlate(map.at + 4 * this.shift, WIDE, this.weights.at, this.blocks, this.bands,
      this.frames, BANDS - this.bands + 1, this.largest.at, this.places.at, COUNT);
  }

  give(u, places) {
    const largest = this.largest.values, won = this.places.values;
    for (let unit = 0; unit < this.count; unit++) {
      const sign = this.sign[unit], bias = this.bias[unit];
      for (let t = 0; t < FRAMES; t++) {
        u[unit * FRAMES + t] = Math.max(0, largest[unit * WIDE + t] * sign + bias);
        places[unit * FRAMES + t] = won[unit * WIDE + t];
      }
    }
  }
}

// The same for kernels of many bands: a product of Fourier transforms over the bands.
class OverBands extends Family {
  arranged() {
    const found = new Float32Array(this.count * WAVES * SEVEN * 2);
    let at = 0;
    for (let unit = 0; unit < this.count; unit++) {
      for (let wave = 0; wave < WAVES; wave++) {
        for (let frame = 0; frame < SEVEN; frame++, at += 2) {
          let real = 0, imaginary = 0;
          for (let band = 0; band < this.bands; band++) {
            real += this.weight(unit, band, frame) * Waves.cos(wave * band);
            imaginary -= this.weight(unit, band, frame) * Waves.sin(wave * band);
          }
          found[at] = real / BANDS;
          found[at + 1] = imaginary / BANDS;
        }
      }
    }
    return found;
  }

  find(map, waves) {
    this.memory.engine.over_bands(waves.out.at + 4 * this.shift, WIDE, this.weights.at, this.count,
      BANDS - this.bands + 1, waves.turns.at, this.largest.at, this.places.at, COUNT);
  }
}

// The Fourier transform over the bands of each frame of the map.
class Waves {
  static cos(step) { return Waves.circle[0][step % BANDS]; }

  static sin(step) { return Waves.circle[1][step % BANDS]; }

  constructor(memory) {
    this.memory = memory;
    this.turns = memory.filled(Float32Array, Array.from({ length: 2 * BANDS }, (_, i) => Waves.circle[i & 1][i >> 1]));
    this.blocks = Math.ceil((2 * WAVES) / FOUR);
    this.weights = memory.filled(Float32Array, inFours(2 * WAVES, BANDS, 1, (row, band) =>
      (row & 1 ? -Waves.sin((row >> 1) * band) : Waves.cos((row >> 1) * band))));
    this.out = memory.take(Float32Array, this.blocks * FOUR * WIDE);
  }

  // All frames that the kernels reach, and no others.
  take(map) {
    const first = 4 * (BEFORE - HALF);
    this.memory.engine.correlate(map.at + first, WIDE, this.weights.at, this.blocks, BANDS, 1, 1,
      this.out.at + first, 0, COUNT + 8);
  }
}
Waves.circle = [Math.cos, Math.sin].map((of) => Float64Array.from({ length: BANDS }, (_, i) => of((2 * Math.PI * i) / BANDS)));

// Seven frames of all rows below, correlated with some kernels; no bias yet.
class Correlation {
  constructor(memory, rows, units, weight) {
    Object.assign(this, { memory, rows, units });
    this.blocks = Math.ceil(units / FOUR);
    this.weights = memory.filled(Float32Array, inFours(units, rows, 2 * HALF + 1, weight));
    this.in = memory.take(Float32Array, rows * NARROW);
    this.out = memory.take(Float32Array, this.blocks * FOUR * NARROW);
  }

  // From (rows, 187) to (units, 187), zeros beyond the ends; `each` makes of a sum what is kept.
  run(values, each = (sum) => sum) {
    const padded = this.in.values, found = new Float32Array(this.units * FRAMES);
    for (let row = 0; row < this.rows; row++) {
      padded.set(values.subarray(row * FRAMES, (row + 1) * FRAMES), row * NARROW + HALF);
    }
    this.memory.engine.correlate(this.in.at, NARROW, this.weights.at, this.blocks, this.rows,
      2 * HALF + 1, 1, this.out.at, 0, COUNT);
    const out = this.out.values;
    for (let unit = 0; unit < this.units; unit++) {
      for (let t = 0; t < FRAMES; t++) {
        found[unit * FRAMES + t] = each(out[unit * NARROW + t], unit * FRAMES + t);
      }
    }
    return found;
  }
}

// CNN_2, CNN_3 or CNN_4: correlation with all rows below, constants, ReLU; and the way back.
class Rows {
  constructor(memory, rows, units, of) {
    const kernel = of("kernel"), last = 2 * HALF; // frames, rows, units
    this.gain = of("gain");
    this.there = new Correlation(memory, rows, units, (unit, row, frame) =>
      kernel[(frame * rows + row) * units + unit]);
    this.back = new Correlation(memory, units, rows, (row, unit, frame) =>
      kernel[((last - frame) * rows + row) * units + unit]);
    // Bias and constants: at the ends some of the constants lie in the padding.
    this.added = new Float32Array(units * FRAMES);
    for (let unit = 0; unit < units; unit++) {
      for (let t = 0; t < FRAMES; t++) {
        let sum = of("bias")[unit];
        for (let frame = 0; frame <= last; frame++) {
          const at = t + frame - HALF;
          if (at >= 0 && at < FRAMES) sum += of("constants")[frame * units + unit];
        }
        this.added[unit * FRAMES + t] = sum;
      }
    }
  }

  run(values) { return this.there.run(values, (sum, at) => Math.max(0, sum + this.added[at])); }
}

// Kernels as the engine reads them: for each four of them, for each band and frame, side by side.
function inFours(count, bands, frames, weight) {
  const blocks = Math.ceil(count / FOUR), found = new Float32Array(blocks * FOUR * bands * frames);
  let at = 0;
  for (let block = 0; block < blocks; block++) {
    for (let band = 0; band < bands; band++) {
      for (let frame = 0; frame < frames; frame++) {
        for (let unit = block * FOUR; unit < (block + 1) * FOUR; unit++, at++) {
          if (unit < count) found[at] = weight(unit, band, frame);
        }
      }
    }
  }
  return found;
}

function scaled(values, gain) {
  return values.map((value, at) => value * gain[Math.floor(at / FRAMES)]);
}
