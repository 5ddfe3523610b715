// Where sounds come from: recordings of the book, the reader's files, the microphone, probes.
const LISTENED = 12; // seconds that are taken from the microphone

function sources(room) {
  const takeFile = (file) => file && room.open(async () => ({ name: file.name, ...(await decoded(await file.arrayBuffer(), file.name)) }));
  find("recording").addEventListener("change", ({ target }) => target.value && openRecording(room, target.value));
  find("file").addEventListener("change", ({ target }) => { takeFile(target.files[0]); others("file"); });
  addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dropping"); });
  addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dropping"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    takeFile(event.dataTransfer.files[0]);
    others("");
  });
  find("network").addEventListener("change", () => room.sound && room.hearAll(++room.turn, { seconds: room.seconds }));
  find("listen").addEventListener("click", () => listen(room));
  find("probe").addEventListener("change", () => { showSliders(room); playProbe(room); others("probe"); });
}

// Choices that no longer hold are taken back.
function others(kept) {
  if (kept !== "recording") find("recording").value = "";
  if (kept !== "file") find("file").value = "";
  if (kept !== "probe") { find("probe").value = ""; find("sliders").replaceChildren(); }
}

function openRecording(room, name, keep) {
  const option = find("recording").querySelector(`option[value="${CSS.escape(name)}"]`);
  if (!option) return room.say(`There is no recording '${name}' in this book; choose one from the list.`, true);
  find("recording").value = name;
  others("recording");
  return room.open(async () => {
    if (!shipped[name]) await script(`sounds/${name}.js`);
    const sound = await decoded(bytesOf(shipped[name]).buffer, option.textContent);
    const { author, licence, link } = option.dataset, credit = made("span", {}, `Recording: ${option.textContent}, ${author} (`);
    credit.append(made("a", { href: link }, licence), ")");
    return { ...sound, name: option.textContent, credit, original: name };
  }, keep);
}

// Some seconds from the microphone, as it hears them: no suppression of noise, no control of gain.
async function listen(room) {
  if (!navigator.mediaDevices) return room.say("This browser lets this page have no microphone: it wants the page from a server, by https or from this computer.", true);
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  } catch {
    return room.say("The microphone was not allowed, or there is none.", true);
  }
  const recorder = new MediaRecorder(stream), parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.onstop = () => {
    stream.getTracks().forEach((track) => track.stop());
    others("");
    room.open(async () => ({ name: "the microphone", credit: "From the microphone: rooms and microphones change tags.",
      ...(await decoded(await new Blob(parts).arrayBuffer(), "the microphone")) }));
  };
  recorder.start();
  for (let left = LISTENED; left; left--) {
    room.say(`Listening: ${left} s left.`);
    await new Promise((done) => setTimeout(done, 1000));
  }
  recorder.stop();
}
