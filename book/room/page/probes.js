// Synthesised sounds of which the reader changes one thing at a time.
const PROBE_SECONDS = 6;
const SLIDERS = { // label, unit, from, to, at the beginning, and whether steps are ratios
  tempo: ["Tempo", "clicks per minute", 30, 300, 120, true],
  pitch: ["Pitch", "Hz", 55, 7040, 440, true],
  level: ["Level", "dB below full scale", -60, 0, -6, false],
  noise: ["Noise", "dB below full scale", -100, 0, -100, false],
};
const MADE = {
  clicks: { name: "Clicks", sliders: ["tempo", "level", "noise"], at: ({ tempo }, t) => (t % (60 / tempo) < 0.002 ? 1 : 0) },
  sine: { name: "Sine", sliders: ["pitch", "level", "noise"], at: ({ pitch }, t) => Math.sin(2 * Math.PI * pitch * t) },
  tone: { name: "Tone with overtones", sliders: ["pitch", "level", "noise"], at: ({ pitch }, t) => {
    let sum = 0;
    for (let k = 1; k <= 6 && k * pitch < 8000; k++) sum += Math.sin(2 * Math.PI * k * pitch * t) / k;
    return sum / 2;
  } },
  noise: { name: "Noise alone", sliders: ["noise"], at: () => 0 },
};

const amplitude = (level) => (level <= -100 ? 0 : 10 ** (level / 20));

// Samples at 16 kHz; the same numbers each time.
function probe(kind, settings) {
  const found = new Float32Array(PROBE_SECONDS * 16000), { at } = MADE[kind];
  const loud = amplitude(settings.level ?? 0), rough = amplitude(kind === "noise" && settings.noise === undefined ? -20 : settings.noise ?? -100);
  let seed = 1;
  for (let i = 0; i < found.length; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    found[i] = loud * at(settings, i / 16000) + rough * (seed / 2 ** 31 - 1);
  }
  return found;
}

function showSliders(room) {
  const kind = MADE[find("probe").value];
  find("sliders").replaceChildren(...(kind?.sliders ?? []).map((name) => {
    const [label, unit, low, high, first, ratio] = SLIDERS[name], scale = ratio ? Math.log2 : (value) => value;
    const value = made("output", {}), start = kind === MADE.noise ? -20 : first;
    const input = made("input", { type: "range", name, min: scale(low), max: scale(high), step: ratio ? 1 / 24 : 1, value: scale(start) });
    const read = () => (ratio ? 2 ** input.value : Number(input.value));
    const tell = () => {
      const text = name === "noise" && read() <= -100 ? "none" : `${read().toFixed(read() < 100 && ratio ? 1 : 0)} ${unit}`;
      value.textContent = text;
      input.setAttribute("aria-valuetext", text);
    };
    input.addEventListener("input", () => { tell(); playProbe(room); });
    input.readValue = read;
    tell();
    return made("label", {}, `${label} `, input, " ", value);
  }));
}

function playProbe(room) {
  const kind = find("probe").value;
  if (!kind) return;
  const settings = Object.fromEntries([...find("sliders").querySelectorAll("input")].map((each) => [each.name, each.readValue()]));
  room.open(async () => ({ channels: [probe(kind, settings)], rate: 16000, name: MADE[kind].name.toLowerCase(), credit: "A synthesised sound." }),
    { seconds: 0, tag: room.why.tag });
}
