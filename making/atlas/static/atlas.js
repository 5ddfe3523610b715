// Draws what a page of the atlas shows from the record that stands in it; plays moments of the
// recordings, each of them one file for all pages; sorts and filters the tables.
const atlas = (() => {
  const NS = "http://www.w3.org/2000/svg";
  const FRAME = 256 / 16000, BANDS = 96, SHOWN = 3; // seconds, mel bands, seconds
  let up = "", record = {};

  const round = (value) => Number(value.toPrecision(3)).toString();
  const node = (name, attributes, text) => {
    const made = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // Drawn as wide as it is shown, so that its text is as large as other small text.
  const widthOf = (box, most = 736) => Math.min(Math.max(box.clientWidth, 260), most);

  // An SVG with axes; returns it and the two scales.
  function plot(box, { width, height = 220, left = 46, bottom = 44, x, y, xLabel, xTicks, yTicks, label }) {
    width ??= widthOf(box);
    const svg = node("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
    const right = 14, top = 10;
    const sx = (value) => left + (value - x[0]) / (x[1] - x[0] || 1) * (width - left - right);
    const sy = (value) => height - bottom - (value - y[0]) / (y[1] - y[0] || 1) * (height - bottom - top);
    for (const [value, text] of yTicks) {
      svg.append(node("line", { class: "grid", x1: left, x2: width - right, y1: sy(value), y2: sy(value) }));
      svg.append(node("text", { x: left - 6, y: sy(value) + 4, "text-anchor": "end" }, text));
    }
    for (const [value, text] of xTicks) {
      svg.append(node("line", { class: "axis", x1: sx(value), x2: sx(value), y1: height - bottom, y2: height - bottom + 5 }));
      svg.append(node("text", { x: sx(value), y: height - bottom + 19, "text-anchor": "middle" }, text));
    }
    svg.append(node("line", { class: "axis", x1: left, x2: width - right, y1: height - bottom, y2: height - bottom }));
    svg.append(node("text", { x: (left + width) / 2, y: height - 5, "text-anchor": "middle" }, xLabel));
    box.append(svg);
    return { svg, sx, sy };
  }

  const ticks = (low, high, count = 4) => {
    const step = (high - low || 1) / count, size = 10 ** Math.floor(Math.log10(step));
    const nice = [1, 2, 5, 10].find((each) => each * size >= step) * size;
    const found = [];
    for (let value = Math.ceil(low / nice - 1e-9) * nice; value <= high + nice * 1e-9; value += nice)
      found.push([value, round(Math.abs(value) < nice * 1e-6 ? 0 : value)]);
    return found;
  };

  const stretched = (value) => Math.asinh(value * 2);

  function counts(box) {
    const { edges, counts: own, counts_dealt: dealt } = record;
    const shares = (some) => { const all = some.reduce((a, b) => a + b, 0) || 1; return some.map((each) => each / all); };
    const real = shares(own), chance = shares(dealt);
    const seen = own.map((each, i) => (each || dealt[i] ? i : -1)).filter((i) => i >= 0);
    const first = Math.min(...seen), last = Math.max(...seen);
    const bound = edges.map(stretched), wide = 0.6;
    const low = (i) => (i ? bound[i - 1] : bound[0] - wide), high = (i) => (i < bound.length ? bound[i] : bound.at(-1) + wide);
    const most = Math.max(...real.slice(first, last + 1), ...chance.slice(first, last + 1));
    const shown = edges.filter((_, i) => bound[i] >= low(first) - 1e-9 && bound[i] <= high(last) + 1e-9);
    const marks = (widthOf(box) > 500 ? [-64, -16, -4, -1, 0, 1, 4, 16, 64] : [-16, -2, 0, 2, 16]).filter((value) => shown.includes(value));
    const { svg, sx, sy } = plot(box, { height: 230, x: [low(first), high(last)], y: [0, most], xLabel: "value",
      xTicks: marks.map((value) => [stretched(value), String(value)]), yTicks: ticks(0, most),
      label: `Histogram of the values: mean ${round(record.mean)}, standard deviation ${round(record.deviation)}, beside that of dealt weights` });
    let line = "";
    for (let i = first; i <= last; i++) {
      svg.append(node("rect", { x: sx(low(i)), width: Math.max(sx(high(i)) - sx(low(i)) - 1, 1), y: sy(real[i]), height: sy(0) - sy(real[i]), fill: "var(--fill)" }));
      line += `${i === first ? "M" : "L"}${sx(low(i))},${sy(chance[i])}L${sx(high(i))},${sy(chance[i])}`;
    }
    svg.append(node("path", { d: line, fill: "none", stroke: "var(--null)", "stroke-width": 2 }));
  }

  function positions(box) {
    const share = record.positions, most = Math.max(...share);
    const { svg, sx, sy } = plot(box, { height: 200, x: [-0.5, share.length - 0.5], y: [0, most], xLabel: "lower edge of the kernel (mel band)",
      xTicks: ticks(0, share.length - 1, 6), yTicks: ticks(0, most), label: `Where in frequency the kernel was found, most often at mel band ${share.indexOf(most)}` });
    share.forEach((each, i) => svg.append(node("rect", { x: sx(i - 0.45), width: Math.max(sx(0.9) - sx(0), 1), y: sy(each), height: sy(0) - sy(each), fill: "var(--fill)" })));
    svg.append(node("line", { x1: sx(-0.5), x2: sx(share.length - 0.5), y1: sy(1 / share.length), y2: sy(1 / share.length), stroke: "var(--null)", "stroke-width": 2, "stroke-dasharray": "6 4" }));
  }

  const LOGARITHMIC = new Set(["pitch", "tempo", "bandwidth"]);

  function tuning(box) {
    const curve = record.tuning[box.dataset.name], at = LOGARITHMIC.has(box.dataset.name) ? Math.log2 : (each) => each;
    const even = ["rise", "glide"].includes(box.dataset.name); // tried at uneven steps: drawn evenly
    const xs = curve.values.map((each, i) => (even ? i : at(each)));
    const low = Math.min(...curve.low), high = Math.max(...curve.high);
    const pick = xs.length > 9 ? Math.ceil(xs.length / 5) : 2;
    const { svg, sx, sy } = plot(box, { x: [xs[0], xs.at(-1)], y: [low, high > low ? high : low + 1], xLabel: `${box.dataset.name} (${curve.unit})`,
      xTicks: xs.map((x, i) => [x, round(curve.values[i])]).filter((_, i) => i % pick === 0), yTicks: ticks(low, high > low ? high : low + 1),
      label: `Answers by ${box.dataset.name}, highest on average at ${round(curve.values[curve.mean.indexOf(Math.max(...curve.mean))])} ${curve.unit}` });
    const path = (values) => values.map((each, i) => `${i ? "L" : "M"}${sx(xs[i])},${sy(each)}`).join("");
    svg.append(node("path", { d: path(curve.high) + path(curve.low).split("L").reverse().map((each, i) => (i ? "L" : "L") + each.replace("M", "")).join("") + "Z", fill: "var(--fill)", opacity: 0.25 }));
    svg.append(node("path", { d: path(curve.mean), fill: "none", stroke: "var(--fill)", "stroke-width": 2 }));
    curve.mean.forEach((each, i) => svg.append(node("circle", { cx: sx(xs[i]), cy: sy(each), r: 2.5, fill: "var(--fill)" })));
  }

  function contribution(box) {
    const { mean, low = mean, high = mean } = record.contribution, held = { low: record.held.mean, high: record.held.mean, ...record.held };
    const lost = held.mean.map((each) => -each);
    const order = mean.map((_, i) => i).sort((a, b) => mean[b] - mean[a]);
    const shown = [...order.slice(0, 10), ...order.slice(-10)];
    const ends = shown.flatMap((i) => [low[i], high[i], -held.low[i], -held.high[i], 0]);
    const x = [Math.min(...ends), Math.max(...ends)], row = 22;
    const height = shown.length * row + 70;
    const { svg, sx } = plot(box, { height, left: 136, x, y: [0, 1], xLabel: "logits", xTicks: ticks(x[0], x[1], widthOf(box) > 500 ? 6 : 3), yTicks: [],
      label: `Contributions to tags: raises ${record.tag_names[shown[0]]} most, lowers ${record.tag_names[shown.at(-1)]} most` });
    svg.append(node("line", { class: "axis", x1: sx(0), x2: sx(0), y1: 10, y2: height - 44 }));
    shown.forEach((tag, place) => {
      const y = 16 + place * row + (place >= 10 ? 8 : 0);
      svg.append(node("text", { x: 130, y: y + 12, "text-anchor": "end" }, record.tag_names[tag]));
      svg.append(node("rect", { x: Math.min(sx(0), sx(mean[tag])), width: Math.abs(sx(mean[tag]) - sx(0)), y: y + 1, height: 14, fill: mean[tag] > 0 ? "var(--up)" : "var(--down)" }));
      svg.append(node("line", { class: "axis", x1: sx(low[tag]), x2: sx(high[tag]), y1: y + 8, y2: y + 8, "stroke-width": 2 }));
      svg.append(node("line", { class: "axis", x1: sx(-held.low[tag]), x2: sx(-held.high[tag]), y1: y + 13, y2: y + 13, "stroke-dasharray": "2 2" }));
      svg.append(node("circle", { cx: sx(lost[tag]), cy: y + 8, r: 4, fill: "var(--back)", stroke: "var(--text)", "stroke-width": 1.5 }));
    });
  }

  // Red and blue around white, for weights.
  const signed = (share) => {
    const [r, g, b] = share > 0 ? [178, 24, 43] : [33, 102, 172], part = Math.min(Math.abs(share), 1);
    return [255 + (r - 255) * part, 255 + (g - 255) * part, 255 + (b - 255) * part];
  };

  function kernel(box) {
    const rows = record.kernel, frames = rows.length, bands = rows[0].length;
    const canvas = document.createElement("canvas");
    canvas.width = frames; canvas.height = bands;
    const most = Math.max(...rows.flat().map(Math.abs)) || 1, pen = canvas.getContext("2d");
    const image = pen.createImageData(frames, bands);
    rows.forEach((row, frame) => row.forEach((value, band) => {
      image.data.set([...signed(value / most), 255], 4 * ((bands - 1 - band) * frames + frame));
    }));
    pen.putImageData(image, 0, 0);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Kernel of ${frames} frames and ${bands} mel bands; largest weight ${round(most)}`);
    box.append(canvas);
    box.style.cssText = bands > 1 ? `width:${Math.min(frames * 24, 320)}px;height:${Math.min(bands * 6, 320)}px` : `max-width:46rem;height:40px`;
  }

  // Band whose centre lies at a frequency, with a part: 98 points, equally far apart in mel.
  const bandOf = (hertz) => {
    const mel = (each) => (each < 1000 ? each * 3 / 200 : 15 + Math.log(each / 1000) * 27 / Math.log(6.4));
    return mel(hertz) / mel(8000) * (BANDS + 1) - 1;
  };

  // The input that drives a unit furthest: its colours are those of the recordings' spectrograms.
  function best(box) {
    const { frames, bands, lowest_band: low, png } = record.best_input.picture, left = 62;
    const width = widthOf(box), tall = Math.min(Math.max(bands * 2.6, 60), 250);
    const marks = [100, 250, 500, 1000, 2000, 4000, 7000].map((hertz) => [bandOf(hertz), `${hertz} Hz`])
      .filter(([band]) => band >= low - 0.5 && band <= low + bands - 0.5);
    const shown = bands > 1 ? marks : [[low, "one band"]];
    const long = frames * FRAME;
    const { svg, sx, sy } = plot(box, { width, height: tall + 54, left, x: [0, long], y: [low - 0.5, low + bands - 0.5], xLabel: "seconds",
      xTicks: ticks(0, long, width > 500 ? 6 : 3), yTicks: shown,
      label: `Input of ${frames} frames and ${bands} mel bands made by us, value ${round(record.best_input.value)}` });
    const top = sy(low + bands - 0.5);
    svg.append(node("image", { href: png, x: sx(0), y: top, width: sx(long) - sx(0),
      height: sy(low - 0.5) - top, preserveAspectRatio: "none", style: "image-rendering: pixelated" }));
  }

  function map(box) {
    const { points } = record, xs = points.map((each) => each.x), ys = points.map((each) => each.y);
    const width = widthOf(box), height = 420;
    const svg = node("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "Map of the live units by likeness of activity" });
    const scale = (value, some, size) => 16 + (value - Math.min(...some)) / (Math.max(...some) - Math.min(...some) || 1) * (size - 32);
    points.forEach((each) => {
      const link = node("a", { href: each.address, "aria-label": each.name });
      link.append(node("title", {}, each.name), node("circle", { cx: scale(each.x, xs, width), cy: scale(each.y, ys, height), r: 7, fill: each.colour, stroke: "var(--text)" }));
      svg.append(link);
    });
    box.append(svg);
  }

  const images = {};
  function picture(box) {
    const { recording, seconds, band } = box.dataset, canvas = document.createElement("canvas");
    const image = images[recording] ??= Object.assign(new Image(), { src: `${up}atlas/sound/${recording}.webp` });
    const middle = Number(seconds), from = Math.max(middle - SHOWN / 2, 0);
    const frames = Math.round(SHOWN / FRAME);
    canvas.width = frames; canvas.height = BANDS;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `dB mel spectrogram from ${round(from)} to ${round(from + SHOWN)} s`);
    const draw = () => {
      const first = Math.min(Math.round(from / FRAME), Math.max(image.naturalWidth - frames, 0));
      canvas.getContext("2d").drawImage(image, first, 0, frames, BANDS, 0, 0, frames, BANDS);
      if (band === undefined || !record.kernel) return;
      const long = record.kernel.length, tall = record.kernel[0].length, frame = document.createElement("span");
      frame.className = "found";
      const begin = Math.round(middle / FRAME) - Math.floor((long - 1) / 2) - first;
      frame.style.cssText = `left:${100 * begin / frames}%;width:${100 * long / frames}%;top:${100 * (1 - (Number(band) + tall) / BANDS)}%;height:${Math.max(100 * tall / BANDS, 2)}%`;
      box.append(frame);
    };
    if (image.complete && image.naturalWidth) draw(); else image.addEventListener("load", draw);
    box.append(canvas);
  }

  // One element plays everything: no sound is loaded before somebody asks for it.
  const player = new Audio();
  let playing = null, until = 0;
  const stop = () => { player.pause(); playing?.setAttribute("aria-pressed", "false"); playing = null; };
  player.addEventListener("timeupdate", () => { if (player.currentTime >= until) stop(); });
  player.addEventListener("ended", stop);
  function play(button) {
    if (playing === button) return stop();
    stop();
    const { recording, seconds, made, long = SHOWN } = button.dataset; // made: by us, from an input
    const from = made ? Number(seconds) : Math.max(Number(seconds) - SHOWN / 2, 0);
    const begin = () => { player.currentTime = from; until = from + Number(long); player.play(); };
    const source = made ? `best/${made}` : `sound/${recording}`;
    if (player.dataset.source !== source) {
      player.dataset.source = source;
      player.src = `${up}atlas/${source}.mp3`;
      player.addEventListener("loadedmetadata", begin, { once: true });
      player.load();
    } else begin();
    button.setAttribute("aria-pressed", "true");
    playing = button;
  }

  function allTags(details) {
    const body = details.querySelector("tbody"), { contribution: given, held } = record;
    if (body.rows.length) return;
    record.tag_names.forEach((name, tag) => {
      const row = body.insertRow(), head = document.createElement("th"), link = document.createElement("a");
      head.scope = "row";
      link.href = `../tags-logits/${tag}.html`;
      link.textContent = name;
      head.append(link);
      row.append(head);
      for (const text of [round(given.mean[tag]), given.low ? `${round(given.low[tag])} to ${round(given.high[tag])}` : "–",
        round(-held.mean[tag]), held.low ? `${round(-held.high[tag])} to ${round(-held.low[tag])}` : "–"]) row.insertCell().textContent = text;
    });
  }

  const CHARTS = { counts, positions, tuning, contribution, kernel, best, map };
  function draw(where) {
    up = where;
    record = JSON.parse(document.getElementById("record")?.textContent || "{}");
    const { curves, ...same } = globalThis.same || {}; // what all pages of a network have in common
    record = { ...same, ...record };
    for (const name in record.tuning) record.tuning[name] = { ...curves[name], ...record.tuning[name] };
    document.querySelectorAll("[data-chart]").forEach((box) => CHARTS[box.dataset.chart](box));
    const details = document.getElementById("all-tags");
    details?.addEventListener("toggle", () => allTags(details));
    const wait = new IntersectionObserver((entries) => entries.filter((each) => each.isIntersecting).forEach((each) => {
      wait.unobserve(each.target);
      picture(each.target);
    }), { rootMargin: "300px" });
    document.querySelectorAll(".picture").forEach((box) => wait.observe(box));
    document.querySelectorAll(".play").forEach((button) => {
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => play(button));
    });
  }

  function table() {
    const body = document.querySelector("#units tbody"), rows = [...body.rows];
    const find = document.getElementById("find"), alive = document.getElementById("alive");
    const show = () => {
      const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = (alive?.checked && row.classList.contains("dead")) || !words.every((word) => text.includes(word));
        count += !row.hidden;
      }
      document.getElementById("shown").textContent = `${count} shown`;
    };
    document.querySelectorAll("#units thead th").forEach((head, column) => head.firstChild.addEventListener("click", () => {
      const rising = head.getAttribute("aria-sort") !== "ascending";
      document.querySelectorAll("#units thead th").forEach((each) => each.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const value = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent;
      rows.sort((a, b) => (isNaN(value(a)) || isNaN(value(b)) || value(a) === "" || value(b) === ""
        ? String(value(a)).localeCompare(String(value(b))) : value(a) - value(b)) * (rising ? 1 : -1));
      body.append(...rows);
    }));
    find.addEventListener("input", show);
    alive?.addEventListener("change", show);
    show();
  }

  return { draw, table };
})();
