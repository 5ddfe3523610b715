// What the page asks of the worker: each message has a number, which its answer bears too.
const room = { memory: null, spectrogram: null, networks: {}, resamplers: {}, map: null, known: {} };

const asked = {
  async start({ engine, filters }) {
    room.memory = await Memory.open(engine);
    room.spectrogram = new Spectrogram(room.memory, filters);
  },

  // A network, from what making/room/weights.py packed.
  async load({ about, numbers }) {
    room.networks[about.model] ??= new Network(room.memory, about, await unpacked(about, numbers));
    const { live, rows } = room.networks[about.model];
    return { live, rows };
  },

  // A sound, as channels at its own rate; answers with samples at 16 kHz and the spectrogram.
  hear({ channels, rate, shown }) {
    const mix = mixed(channels);
    const samples = rate === RATE ? mix : (room.resamplers[rate] ??= new Resampler(room.memory, rate)).of(mix);
    const refused = refusal(samples, shown);
    if (refused) throw new Error(refused);
    const notes = notesOf(channels, mix, samples, shown);
    return { samples, notes, ...asked.see({ map: room.spectrogram.of(samples) }) };
  },

  // Goes on from a spectrogram, frames times 96.
  see({ map }) {
    room.map = map;
    room.known = {};
    return { map, frames: map.length / BANDS, patches: Math.floor(map.length / BANDS / FRAMES) };
  },

  // Makes a part of a patch silent.
  erase({ number, from, to, low, high }) {
    for (let t = from; t < to; t++) patchOf(number).fill(0, t * BANDS + low, t * BANDS + high);
    for (const known of Object.values(room.known)) delete known[number];
  },

  // All that is known of one patch; `factors`: of each live row of U, how far from usual it goes.
  patch({ model, number, factors }) {
    const { series, scores, logits, places } = stateOf(model, number, factors);
    return { series, scores, logits, places };
  },

  why({ model, number, tag, factors, withBins }) {
    const network = room.networks[model], state = stateOf(model, number, factors);
    return reasons(network, state, patchOf(number), state.places, tag, withBins);
  },
};

const patchOf = (number) => room.map.subarray(number * FRAMES * BANDS, (number + 1) * FRAMES * BANDS);

// The network's state on a patch. The first stage is kept, as it takes the most time.
function stateOf(model, number, factors) {
  const network = room.networks[model], known = room.known[model] ??= [];
  const { u, places } = known[number] ??= network.first(patchOf(number));
  const usual = network.of["dense/usual"];
  const changed = factors ? u.map((value, at) => {
    const row = Math.floor(at / FRAMES);
    return factors[row] === 1 ? value : usual[row] + factors[row] * (value - usual[row]);
  }) : u;
  return { places, ...network.above(changed) };
}

// The mean of the channels, added in single precision as the command does.
function mixed([first, second, ...others]) {
  if (!second) return first;
  const sum = new Float32Array(first.length), count = 2 + others.length;
  for (let i = 0; i < sum.length; i++) sum[i] = first[i] + second[i];
  for (const channel of others) for (let i = 0; i < sum.length; i++) sum[i] += channel[i];
  for (let i = 0; i < sum.length; i++) sum[i] /= count;
  return sum;
}

// Numbers from text: packed bytes, all highest bytes first, of which the lowest may be left out.
async function unpacked({ bytes }, text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const count = planes.length / bytes, bits = new Uint32Array(count);
  for (let plane = 0; plane < bytes; plane++) {
    const shift = 24 - 8 * plane, from = plane * count;
    for (let i = 0; i < count; i++) bits[i] |= planes[from + i] << shift;
  }
  return new Float32Array(bits.buffer);
}

self.onmessage = async ({ data: { id, ask, given } }) => {
  try {
    self.postMessage({ id, answer: await asked[ask](given) });
  } catch (error) {
    self.postMessage({ id, error: error.message });
  }
};
