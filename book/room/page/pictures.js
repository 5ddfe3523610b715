// Pictures of numbers, one pixel for each.
const MOST_DB = 6; // values above are drawn as this one, as the book's pages do

// A picture of `width` x `height`; `colour(x, y)` gives red, green, blue and, where it is not solid,
// how much it covers; y is counted from the top.
function pictured(canvas, width, height, colour) {
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d"), image = pen.createImageData(width, height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      [image.data[at], image.data[at + 1], image.data[at + 2], image.data[at + 3] = 255] = colour(x, y);
    }
  }
  pen.putImageData(image, 0, 0);
}

// Of the book's colours for spectrograms, a share from 0 to 1.
function heat(share) {
  const { colours } = Engine.given, at = 3 * Math.round(255 * Math.min(Math.max(share, 0), 1));
  return [colours[at], colours[at + 1], colours[at + 2]];
}

// Red above and blue below zero, grey in between; a share from -1 to 1.
function signed(share) {
  const part = Math.min(Math.abs(share), 1), [r, g, b] = share > 0 ? [178, 24, 43] : [33, 102, 172];
  return [245 + (r - 245) * part, 245 + (g - 245) * part, 245 + (b - 245) * part];
}

// The mel band, from 0 on, nearest to a frequency, on a scale that lies between the bands.
function bandOf(hertz) {
  const { bands } = Engine.given, above = bands.findIndex((centre) => centre >= hertz);
  if (above < 1) return above;
  return above - (bands[above] - hertz) / (bands[above] - bands[above - 1]);
}
