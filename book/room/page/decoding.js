// From a file's bytes to channels, by the browser's own decoder.
const LONGEST = 20; // minutes that are held in memory
const USUAL_RATE = 44100; // where no header tells

// Channels and their rate; refuses with one sentence.
async function decoded(bytes, shown) {
  if (!bytes.byteLength) throw new Error(`The audio file ${shown} holds no samples; give one with sound in it.`);
  const seconds = await secondsOf(bytes);
  if (seconds > 60 * LONGEST) {
    throw new Error(`The audio in ${shown} lasts ${Math.round(seconds / 60)} minutes; this page holds all of a sound in memory and takes up to ${LONGEST}. Cut it, or give it to musicnn-book tags.`);
  }
  let sound;
  for (const rate of [rateOf(bytes), USUAL_RATE]) {
    if (!rate || sound) continue;
    try {
      sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes.slice(0));
    } catch (error) {
      if (error.name !== "NotSupportedError") break; // else: a rate that the browser does not know
    }
  }
  if (!sound) throw new Error(`The file ${shown} cannot be read as audio by this browser; give WAV, FLAC, OGG, MP3, M4A or another format that it plays, complete and playable.`);
  if (!sound.length) throw new Error(`The audio file ${shown} holds no samples; give one with sound in it.`);
  const channels = Array.from({ length: sound.numberOfChannels }, (_, i) => sound.getChannelData(i).slice());
  return { channels, rate: sound.sampleRate };
}

// How long it lasts, before it is decoded; 0 if the browser does not say.
function secondsOf(bytes) {
  return new Promise((resolve) => {
    const player = new Audio(), address = URL.createObjectURL(new Blob([bytes]));
    const end = () => {
      URL.revokeObjectURL(address);
      clearTimeout(late);
      resolve(Number.isFinite(player.duration) ? player.duration : 0);
    };
    const late = setTimeout(end, 2000);
    player.preload = "metadata";
    player.onloadedmetadata = player.onerror = end;
    player.src = address;
  });
}

// Text as bytes.
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
