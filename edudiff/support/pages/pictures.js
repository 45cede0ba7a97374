const byId = id => document.getElementById(id);

// Numbers and words
const digits = value => value.toFixed(3).replace(/^-(0\.000)$/, "$1");
const many = values => values.length === 1 ? digits(values[0]) : "(" + Array.from(values, digits).join(", ") + ")";
const percent = share => (100 * share).toFixed(share < .001 ? 3 : 1) + " %";
const moved = (by, plus, minus) => by === 0 ? "" : `${Math.abs(by)} ${by > 0 ? plus : minus}`;
const displacement = (down, right) =>
  [moved(down, "down", "up"), moved(right, "right", "left")].filter(Boolean).join(", ") || "the same place";
const about = number => number < 10 ? number.toFixed(1) : Math.round(number).toLocaleString("en");

// Pictures
/** Paint bytes, given by a function of (row, column, 0 to 2 for red to blue), on a canvas, `zoom` dots a pixel. */
function paintBytes(canvas, byte, rows, columns, zoom) {
  const small = document.createElement("canvas"), context = canvas.getContext("2d");
  [small.width, small.height, canvas.width, canvas.height] = [columns, rows, columns * zoom, rows * zoom];
  const image = small.getContext("2d").createImageData(columns, rows);
  for (let at = 0; at < rows * columns; at++) {
    for (let color = 0; color < 3; color++) image.data[4 * at + color] = byte(Math.floor(at / columns), at % columns, color);
    image.data[4 * at + 3] = 255;
  }
  small.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  return context;
}
/** Outline `size` pixels around a pixel: a light line on a dark one, seen on any ground; dashed for a window. */
function outline(context, row, column, size, zoom, dashed) {
  const far = (size - 1) / 2;
  for (const [width, color] of [[zoom > 8 ? 5 : 3, "#000"], [zoom > 8 ? 2 : 1, "#fff"]]) {
    context.lineWidth = width;
    context.strokeStyle = color;
    context.setLineDash(dashed && color === "#fff" ? [zoom, zoom / 2] : []);
    context.strokeRect((column - far) * zoom, (row - far) * zoom, size * zoom, size * zoom);
  }
  context.setLineDash([]);
}
const ARROWS = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
/** The row and column of the cell of a canvas that a pointer is on. */
function cellUnder(canvas, event, rows, columns) {
  const box = canvas.getBoundingClientRect();
  const at = (from, start, length, cells) => Math.min(cells - 1, Math.max(0, Math.floor((from - start) / length * cells)));
  return [at(event.clientY, box.top, box.height, rows), at(event.clientX, box.left, box.width, columns)];
}
/** One cell further, as far as there are cells. */
const stepTo = ([row, column], [down, right], rows, columns) =>
  [Math.min(rows - 1, Math.max(0, row + down)), Math.min(columns - 1, Math.max(0, column + right))];
