// What a reader should know of a sound, in the command's words (inside_musicnn/sound/levels.py).
const SILENT = -70, CANCELLED = 20, LOUDEST = 2, MOST_SILENT = 0.5, LARGEST = 1e12;
const STRETCH = RATE / 10; // samples that are silent together, or not

const decibels = (power) => (power > 0 ? 10 * Math.log10(power) : -Infinity);

// Loops over numbered places: there are millions of samples, and iterators take several times as long.
function powerOf(samples, from = 0, to = samples.length) {
  let sum = 0;
  for (let i = from; i < to; i++) sum += samples[i] * samples[i];
  return sum / Math.max(to - from, 1);
}

// The largest size; NaN if there is one among them.
function peakOf(samples) {
  let largest = 0;
  for (let i = 0; i < samples.length; i++) {
    const size = Math.abs(samples[i]);
    if (!(size <= largest)) largest = size;
    if (largest !== largest) return NaN;
  }
  return largest;
}

// A sentence if nothing can be computed of the samples.
function refusal(samples, shown) {
  const largest = peakOf(samples);
  if (!Number.isFinite(largest)) return `The audio in ${shown} has samples that are not a number or infinite; repair it or export it again.`;
  if (largest > LARGEST) return `The audio in ${shown} has samples as large as ${largest.toExponential(0)}, which are meant to stay within -1 to 1; repair it or export it again.`;
  if (1 + Math.floor(samples.length / HOP) < FRAMES) {
    return `The audio in ${shown} is too short: ${(Math.floor(samples.length / HOP) * HOP / RATE).toFixed(2)} s, and one patch of ${FRAMES} frames needs ${((FRAMES - 1) * HOP / RATE).toFixed(2)} s.`;
  }
  return "";
}

// Sentences on what is not as it is meant to be. `channels` and `mix` are at the file's own rate.
function notesOf(channels, mix, samples, shown) {
  const found = [], peak = peakOf(samples);
  const sides = channels.length > 1 ? decibels(channels.reduce((sum, each) => sum + powerOf(each), 0) / channels.length) : -Infinity;
  const mixed = channels.length > 1 ? decibels(powerOf(mix)) : 0, level = decibels(powerOf(samples));
  let silent = 0;
  const stretches = Math.floor(samples.length / STRETCH);
  for (let i = 0; i < stretches; i++) silent += decibels(powerOf(samples, i * STRETCH, (i + 1) * STRETCH)) < SILENT;
  if (sides >= SILENT && mixed <= sides - CANCELLED) {
    const left = mixed > -Infinity ? `the mix is ${(sides - mixed).toFixed(0)} dB below them` : "nothing is left";
    found.push(`The sides of ${shown} cancel when they are mixed down: ${left}, so the network hears next to nothing of the music.`);
  } else if (peak === 0) {
    found.push(`The audio in ${shown} is silent, so its tags tell of no music.`);
  } else if (level < SILENT) {
    found.push(`The audio in ${shown} is as good as silent, at a level of ${level.toFixed(0)} dBFS, so its tags tell of no music.`);
  } else if (stretches && silent > MOST_SILENT * stretches) {
    found.push(`The audio in ${shown} is silent, below ${SILENT} dBFS, for ${Math.round(100 * silent / stretches)}% of its length, so many of its tags tell of no music.`);
  }
  if (peak > LOUDEST) {
    found.push(`The samples of ${shown} reach ${peak < 1000 ? peak.toFixed(1) : peak.toExponential(0)}, and are meant to stay within -1 to 1: that adds up to ${(2 * Math.log10(peak)).toFixed(1)} to every value of the input, and changes the tags.`);
  }
  return found;
}
