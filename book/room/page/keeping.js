// What can be taken along: the address of what is shown, and the tags as the command writes them.

// Of shipped sounds alone: a file of the reader's own has no address.
function keepState(room) {
  const { sound, why } = room, values = { network: find("network").value };
  if (sound?.original) values.sound = sound.original;
  if (why.tag) values.tag = why.tag;
  if (room.seconds) values.at = room.seconds.toFixed(2);
  if (sound?.original) history.replaceState(null, "", `#${new URLSearchParams(values)}`);
  else history.replaceState(null, "", location.href.split("#")[0]);
}

function restoreState(room) {
  const given = new URLSearchParams(location.hash.slice(1));
  const network = given.get("network");
  if ([...find("network").options].some(({ value }) => value === network)) find("network").value = network;
  const seconds = Number(given.get("at")) || 0;
  if (given.get("sound")) openRecording(room, given.get("sound"), { seconds, tag: given.get("tag") });
  find("as-json").addEventListener("click", () => room.views.forEach((view) => save(`${view.model}.json`, tagsAsJson(room, view), "application/json")));
  find("as-picture").addEventListener("click", () => find("part").toBlob((blob) => save("spectrogram.png", blob)));
  find("as-sound").addEventListener("click", () => save("heard.wav", waveFile(room.sound.samples), "audio/wav"));
}

// The document that `musicnn-book tags --json` writes.
function tagsAsJson(room, { model, about, patches }) {
  const known = patches.filter(Boolean), round = (value) => Number(value.toFixed(4));
  const single = (value) => Number(value.toPrecision(9)), ranked = about.labels.map((tag, at) =>
    ({ tag, score: single(known.reduce((sum, { scores }) => sum + scores[at], 0) / known.length) })).sort((a, b) => b.score - a.score);
  return JSON.stringify({ model, labels: about.labels, recordings: [{ file: room.sound.name, notes: room.sound.notes, top: ranked.slice(0, 10),
    patches: known.map(({ scores }, i) => ({ start: round(i * PATCH), end: round((i + 1) * PATCH), damaged: false, scores: [...scores].map(single) })) }] }) + "\n";
}

function save(name, content, type) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  made("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
