// The rate of an audio file from its first bytes. A browser resamples to the rate that it is asked
// for, in a way of its own; asked for the file's own rate, it leaves the samples as they are.
const MPEG_RATES = [[11025, 12000, 8000], null, [22050, 24000, 16000], [44100, 48000, 32000]];

// Samples in a second; null if no known header tells.
function rateOf(buffer) {
  const bytes = new Uint8Array(buffer), view = new DataView(buffer);
  const at = (place, text) => place + text.length <= bytes.length
    && [...text].every((letter, i) => bytes[place + i] === letter.charCodeAt(0));
  const flac = (place) => (bytes[place + 10] << 12) | (bytes[place + 11] << 4) | (bytes[place + 12] >> 4);
  let first = 0;
  if (at(0, "ID3")) first = 10 + bytes.slice(6, 10).reduce((size, each) => size * 128 + (each & 127), 0);
  if (bytes.length < first + 48) return null;
  if ((at(0, "RIFF") || at(0, "RF64")) && at(8, "WAVE")) {
    for (let place = 12; place + 16 <= bytes.length; place += 8 + ((view.getUint32(place + 4, true) + 1) & ~1)) {
      if (at(place, "fmt ")) return view.getUint32(place + 12, true) || null;
    }
    return null;
  }
  if (at(first, "fLaC")) return flac(first + 8) || null;
  if (at(0, "OggS")) {
    const packet = 27 + bytes[26];
    if (at(packet, "\x01vorbis")) return view.getUint32(packet + 12, true) || null;
    if (at(packet, "OpusHead")) return 48000;
    return at(packet, "\x7fFLAC") ? flac(packet + 17) : null;
  }
  if (at(4, "ftyp")) {
    for (let place = 8; place + 36 <= bytes.length; place++) {
      if (at(place, "mp4a") && view.getUint16(place + 28) > 0) return view.getUint16(place + 28);
    }
    return null;
  }
  for (let place = first; place + 3 < Math.min(bytes.length, first + 8192); place++) {
    const version = (bytes[place + 1] >> 3) & 3, layer = (bytes[place + 1] >> 1) & 3, rate = (bytes[place + 2] >> 2) & 3;
    if (bytes[place] === 255 && bytes[place + 1] >= 224 && layer && version !== 1 && rate < 3
      && bytes[place + 2] >> 4 < 15) return MPEG_RATES[version][rate];
  }
  return null;
}
