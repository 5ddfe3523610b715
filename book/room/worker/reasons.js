// A tag's logit as an exact sum: of the structures of CNN_1 at each moment, and of the bins of the
// spectrogram. With the choices held that the network made on a patch, all else is multiplication
// and addition; chapter 15 derives it.

// By how much one logit rises for each unit of what varies in the live rows of U, (live, 187).
function slopesOfU(network, state, tag) {
  const { of, rows, units, cnn, into } = network, tags = network.about.labels.length;
  const slopes = new Float32Array(rows * FRAMES);
  const lit = Float64Array.from({ length: units }, (_, unit) =>
    (state.dense[unit] > 0 ? of["dense/kernel_tags"][unit * tags + tag] : 0));
  for (let row = 0; row < rows; row++) {
    let top = 0, mean = 0;
    for (let unit = 0; unit < units; unit++) {
      top += of["dense/kernel_max"][row * units + unit] * lit[unit];
      mean += of["dense/kernel_mean"][row * units + unit] * lit[unit];
    }
    slopes.fill(mean / FRAMES, row * FRAMES, (row + 1) * FRAMES);
    slopes[row * FRAMES + state.largest[row]] += top;
  }
  const [u, one, two, three] = [0, 1, 2, 3].map((part) =>
    slopes.subarray(network.begin(part) * FRAMES, network.begin(part + 1) * FRAMES));
  const line = (values, row) => values.subarray(row * FRAMES, (row + 1) * FRAMES);
  const add = (to, values) => values.forEach((value, at) => { to[at] += value; });
  // What a convolution passed, times its gain, went into the sum: the way back to the rows below.
  const through = (number, above, places) => {
    const { passed } = state, { gain, back } = cnn[number];
    const lead = new Float32Array(passed[number].length);
    places.forEach((from, unit) => line(above, from).forEach((slope, t) => {
      const at = unit * FRAMES + t;
      if (passed[number][at] > 0) lead[at] = slope * gain[unit];
    }));
    return back.run(lead);
  };
  into[4][0].forEach((from, row) => add(line(two, row), line(three, from)));
  add(two, through(4, three, into[4][1]));
  into[3][0].forEach((from, row) => line(two, from).forEach((slope, t) => {
    one[row * FRAMES + t] += slope * cnn[2].gain[row];
  }));
  add(one, through(3, two, into[3][1]));
  add(u, cnn[2].back.run(one.map((slope, at) => (state.passed[2][at] > 0 ? slope : 0))));
  return u;
}

// Contributions, (live, 187), relative to what the network remembers as usual of each row.
function structures(network, state, slopes) {
  const usual = network.of["dense/usual"];
  return slopes.map((slope, at) => slope * (state.series[at] - usual[Math.floor(at / FRAMES)]));
}

// Slopes and contributions of the bins, (187, 96), relative to the input's normalised zero.
function bins(network, state, slopes, patch, places) {
  const { memory, about } = network;
  network.under ??= { bins: memory.take(Float32Array, (BEFORE + FRAMES + 64) * BANDS),
    slopes: memory.take(Float32Array, FRAMES), places: memory.take(Int32Array, FRAMES) };
  const { under } = network;
  under.bins.values.fill(0);
  let row = 0;
  for (const family of network.families) {
    family.laid ??= memory.filled(Float32Array, family.kernel);
    for (let unit = 0; unit < family.count; unit++, row++) {
      const some = under.slopes.values, where = under.places.values;
      for (let t = 0; t < FRAMES; t++) {
        const at = row * FRAMES + t;
        some[t] = state.series[at] > 0 ? slopes[at] * family.sign[unit] : 0;
        where[t] = places[at];
      }
      const size = family.frames * family.bands;
      memory.engine.lay(under.slopes.at, under.places.at, FRAMES, family.laid.at + 4 * unit * size,
        family.frames, family.bands, under.bins.at + 4 * family.shift * BANDS);
    }
  }
  const found = under.bins.values.subarray(BEFORE * BANDS, (BEFORE + FRAMES) * BANDS);
  return { slopes: found.slice(), bins: found.map((slope, at) => slope * (patch[at] - about.silence)) };
}

// The answer to "why this tag?" for one patch.
function reasons(network, state, patch, places, tag, withBins) {
  const slopes = slopesOfU(network, state, tag), parts = structures(network, state, slopes);
  const logit = state.logits[tag];
  const found = { logit, structures: parts, constant: logit - parts.reduce((a, b) => a + b, 0) };
  if (withBins) {
    Object.assign(found, bins(network, state, slopes, patch, places));
    found.constantOfBins = logit - found.bins.reduce((a, b) => a + b, 0);
  }
  return found;
}
