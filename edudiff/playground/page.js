"use strict";
// The page shows and asks; all that is computed is computed by edudiff in Python, in the worker. ADDRESS is Pyodide's.
/* SHARED SCRIPT */
const SIZE = 16, MOST = 24, PIXELS = SIZE * SIZE, ZOOM = 20;
const SHORT = {els: "ELS", local: "local", ideal: "ideal", network: "the network"}, SWEEP = [1, 3, 5, 7, 9, 15, 31];
const blank = () => new Uint8Array(3 * PIXELS);
let training = [blank()], chosen = 0, touched = false; // pictures as RGB bytes, the one that is drawn on
let cursor = [8, 8], point = null; // of the editor; and the pixel that is asked about, null before anybody asked
let walk = null; // the last one of a formula: {denoiser, window, seed, training, channels, steps, drawn, windows}
let shownStep = 0, trained = null, losses = [];

// Python in a worker
let worker = null, ready = false, busy = null, number = 0, patience = 1500;
const asked = new Map();
/** Ask Python; `each` is called with every answer. Resolves to the last one, or rejects with what went wrong. */
function ask(question, words, each = () => {}) {
  const id = ++number;
  return new Promise((resolve, reject) => {
    asked.set(id, {each, resolve, reject, last: {}, error: null});
    worker.postMessage(question === "begin" ? {id, address: ADDRESS} : {id, question, words});
  });
}
function heard({data}) {
  const one = asked.get(data.id);
  if (!one) return;
  if (data.error) one.error = data.error;
  else if (Object.keys(data).length > (data.done ? 2 : 1)) one.each(one.last = data);
  if (!data.done) return;
  asked.delete(data.id);
  if (one.error) one.reject(new Error(one.error));
  else one.resolve(one.last);
}
function say(text, wrong = false) {
  byId("said").textContent = text;
  byId("state").classList.toggle("wrong", wrong);
}
/** What stands in the way of running Python here, or nothing. */
function obstacle() {
  if (location.protocol === "file:") return "This page was opened as a file, and browsers start no Python from a file. " +
    "Serve its folder: run “edudiff playground --open”, or “python -m http.server” in the folder and open http://localhost:8000.";
  if (typeof Worker === "undefined") return "This browser has no web workers, in which Python would run; use a newer one.";
  if (typeof WebAssembly === "undefined") return "WebAssembly is missing or switched off in this browser, and Python needs it; " +
    "use another browser, or allow it for this page.";
  return "";
}
function enable() {
  for (const id of ["go", "sweep", "train"]) byId(id).disabled = !ready || busy !== null;
  for (const button of document.querySelectorAll("[data-kind]")) button.disabled = !ready || busy !== null;
  byId("files").disabled = !ready || busy !== null;
  for (const id of ["png", "python"]) byId(id).disabled = !(walk && walk.drawn);
  byId("cancel").hidden = busy === null && ready;
  byId("cancel").textContent = busy === null ? "Try again" : "Cancel";
  byId("progress").hidden = busy === null;
}
async function start() {
  const wrong = obstacle();
  if (worker) worker.terminate();
  [ready, busy, worker, trained] = [false, null, null, null];
  asked.clear();
  enable();
  if (wrong) {
    byId("cancel").hidden = true;
    return say(wrong, true);
  }
  worker = new Worker("worker.js");
  worker.onmessage = heard;
  worker.onerror = event => failed(new Error(event.message || "the worker could not be started"));
  busy = "load";
  enable();
  say("Loading Python: about 15 MB the first time, which the browser keeps.");
  try {
    const {versions} = await ask("begin", null, ({progress, part}) => {
      if (!progress) return;
      say(progress);
      byId("progress").value = part;
    });
    [ready, busy] = [true, null];
    byId("versions").textContent = `Computed here by ${versions}.`;
    if (!touched) await take("hands");
    say("Ready. Press Draw.");
  } catch (error) {
    failed(error);
  }
  enable();
}
function failed(error) {
  [ready, busy] = [false, null];
  const where = ADDRESS.includes("://") ? "its public address" : "the folder beside this page";
  say(`Python could not be loaded from ${where} (${error.message}). Is there a network? For use without one: ` +
    "“edudiff playground --pyodide DIR”.", true);
  enable();
}
/** One piece of work at a time: says what is done, shows its progress, and what went wrong. Returns whether it ended well. */
async function work(name, text, doing) {
  if (busy !== null || !ready) return false;
  busy = name;
  byId("progress").value = 0;
  say(text);
  enable();
  const mine = worker;
  let wrong = "";
  try {
    await doing();
  } catch (error) {
    wrong = error.message;
  }
  if (mine !== worker) return false; // stopped the hard way; another one is being loaded
  const left = halted;
  [busy, halted] = [null, false];
  if (wrong) say(wrong, true);
  else say(left ? "Stopped." : "Ready.");
  enable();
  return !wrong && !left;
}
let halted = false;
/** Stop what is running: it is asked to stop after its step; if that takes too long, Python is ended and loaded again. */
function halt() {
  if (busy === null) return start();
  const mine = worker, doing = busy;
  if (doing === "load") {
    worker.terminate();
    [worker, ready, busy] = [null, false, null];
    asked.clear();
    say("Loading was stopped.");
    return enable();
  }
  halted = true;
  for (const id of asked.keys()) worker.postMessage({stop: id});
  setTimeout(() => {
    if (mine !== worker || busy !== doing || !halted) return;
    halted = false;
    start();
  }, patience);
}

// Pictures
/** Paint a picture of RGB bytes. */
const paintPicture = (canvas, bytes, zoom) => paintBytes(canvas, (row, column, color) => bytes[3 * (row * SIZE + column) + color], SIZE, SIZE, zoom);
/** Paint values between -1 and 1, of one channel or three. */
const paintValues = (canvas, values, channels, zoom) => paintBytes(canvas, (row, column, color) =>
  127.5 * (values[channels * (row * SIZE + column) + (channels === 3 ? color : 0)] + 1), SIZE, SIZE, zoom);

// 1. Training pictures
function showTraining() {
  const context = paintPicture(byId("editor"), training[chosen], ZOOM);
  if (document.activeElement === byId("editor")) outline(context, ...cursor, 1, ZOOM, false);
  byId("editor").setAttribute("aria-label", `Training picture ${chosen + 1}; arrow keys move the pen, space paints, shift with an arrow draws`);
  const sheet = byId("sheet"), focused = sheet.contains(document.activeElement);
  sheet.replaceChildren(...training.map((bytes, n) => {
    const button = document.createElement("button"), canvas = document.createElement("canvas");
    paintPicture(canvas, bytes, 3);
    Object.assign(button, {type: "button"});
    button.setAttribute("aria-label", `picture ${n + 1}`);
    button.setAttribute("aria-pressed", String(n === chosen));
    button.addEventListener("click", () => { chosen = n; showTraining(); });
    button.append(canvas);
    return button;
  }));
  if (focused) sheet.children[chosen].focus();
  byId("new").disabled = training.length >= MOST;
  byId("remove").disabled = training.length < 2;
}
function changed() {
  touched = true;
  trained = null;
  showTraining();
}
function dot(row, column) {
  const color = byId("pen").value.split(",").map(Number), wide = Number(byId("width").value);
  for (let r = row; r < Math.min(SIZE, row + wide); r++) for (let c = column; c < Math.min(SIZE, column + wide); c++) {
    training[chosen].set(color, 3 * (r * SIZE + c));
  }
}
/** A line of dots from one pixel to another: a quick pointer skips pixels. */
function line([row, column], [toRow, toColumn]) {
  const count = Math.max(1, Math.abs(toRow - row), Math.abs(toColumn - column));
  for (let n = 0; n <= count; n++) dot(Math.round(row + (toRow - row) * n / count), Math.round(column + (toColumn - column) * n / count));
}
let penDown = null;
byId("editor").addEventListener("pointerdown", event => {
  byId("editor").setPointerCapture(event.pointerId);
  penDown = cursor = cellUnder(byId("editor"), event, SIZE, SIZE);
  dot(...cursor);
  changed();
});
byId("editor").addEventListener("pointermove", event => {
  if (!penDown) return;
  const here = cellUnder(byId("editor"), event, SIZE, SIZE);
  line(penDown, here);
  penDown = cursor = here;
  changed();
});
for (const kind of ["pointerup", "pointercancel"]) byId("editor").addEventListener(kind, () => { penDown = null; });
for (const kind of ["focus", "blur"]) byId("editor").addEventListener(kind, showTraining);
byId("editor").addEventListener("keydown", event => {
  const by = ARROWS[event.key], ink = event.key === " " || event.key === "Enter";
  if (!by && !ink) return;
  event.preventDefault();
  if (by) cursor = stepTo(cursor, by, SIZE, SIZE);
  if (ink || event.shiftKey) dot(...cursor);
  byId("cursor").textContent = `Row ${cursor[0]}, column ${cursor[1]}${ink || event.shiftKey ? ", painted" : ""}.`;
  if (ink || event.shiftKey) changed();
  else showTraining();
});
byId("new").addEventListener("click", () => { chosen = training.push(blank()) - 1; changed(); });
byId("clear").addEventListener("click", () => { training[chosen] = blank(); changed(); });
byId("remove").addEventListener("click", () => {
  training.splice(chosen, 1);
  chosen = Math.min(chosen, training.length - 1);
  changed();
});
function replaceTraining(bytes) {
  training = [];
  for (let n = 0; n < bytes.length / (3 * PIXELS) && n < MOST; n++) training.push(bytes.slice(3 * PIXELS * n, 3 * PIXELS * (n + 1)));
  chosen = 0;
  changed();
}
const limited = (id, low, high) => {
  const value = Math.min(high, Math.max(low, Math.round(Number(byId(id).value) || low)));
  byId(id).value = value;
  return value;
};
const take = kind => work("take", `Drawing ${kind} …`, async () => {
  replaceTraining((await ask("take", {kind, count: limited("count", 1, MOST), seed: limited("seed", 0, 999999)})).images);
});
for (const button of document.querySelectorAll("[data-kind]")) button.addEventListener("click", () => take(button.dataset.kind));
function read(list) {
  if (busy !== null) return say("Something is still running; drop the files again when it has ended.");
  return list.length && work("read", "Reading image files …", async () => {
    const files = await Promise.all([...list].slice(0, MOST).map(async file => [file.name, new Uint8Array(await file.arrayBuffer())]));
    replaceTraining((await ask("read", {files})).images);
  });
}
byId("files").addEventListener("change", async event => {
  await read(event.target.files);
  event.target.value = ""; // so that the same file can be chosen again
});
addEventListener("dragover", event => event.preventDefault());
addEventListener("drop", event => {
  event.preventDefault();
  read(event.dataTransfer.files);
});
function bytes() {
  const all = new Uint8Array(3 * PIXELS * training.length);
  training.forEach((one, n) => all.set(one, 3 * PIXELS * n));
  return all;
}

// 2. Draw from noise
const denoiser = () => document.querySelector("input[name=denoiser]:checked").value, side = () => Number(byId("window").value);
const named = one => SHORT[one.denoiser] + (one.denoiser === "ideal" || one.denoiser === "network" ? "" : ` ${one.window}`);
function showWide() {
  const whole = denoiser() === "ideal";
  byId("window").disabled = whole;
  byId("wide").textContent = whole ? "the whole picture" : side() === 2 * SIZE - 1 ? `${side()} pixels: the whole picture` : `${side()} pixels`;
  byId("window").setAttribute("aria-valuetext", byId("wide").textContent);
}
/** One reverse process; each step is shown as it comes. */
async function reverse(which, window, seed, shown) {
  const one = {denoiser: which, window, seed, training: training.map(bytes => bytes.slice()), channels: 1, steps: [], windows: {}};
  if (which !== "network") walk = one;
  await ask("draw", {images: bytes(), denoiser: which, window, seed}, answer => {
    if (answer.drawn) return void Object.assign(one, {drawn: answer.drawn, nearest: answer.nearest, distance: answer.distance, copy: answer.copy});
    one.channels = answer.x.length / PIXELS;
    one.steps.push(answer);
    byId("progress").value = one.steps.length / answer.steps;
    shown(one);
  });
  if (one.drawn) keep(one);
  return one;
}
const verdict = one => `${named(one)}, seed ${one.seed}: ${one.distance.toFixed(2)} from training picture ${one.nearest + 1}, ${one.copy ? "a copy" : "not a copy"}`;
function keep(one) {
  const item = document.createElement("li"), canvas = document.createElement("canvas"), text = document.createElement("div");
  paintValues(canvas, one.drawn, one.channels, 5);
  canvas.setAttribute("aria-hidden", "true");
  text.textContent = verdict(one);
  item.append(canvas, text);
  byId("drawn").prepend(item);
  while (byId("drawn").children.length > 21) byId("drawn").lastChild.remove();
}
function showSteps(step) {
  shownStep = Math.max(0, Math.min(step, walk.steps.length - 1));
  const at = walk.steps[shownStep], slider = byId("step");
  Object.assign(slider, {max: walk.steps.length - 1, value: shownStep, disabled: false});
  byId("level").textContent = `${shownStep + 1} of ${at.steps}, noise sigma ${at.sigma.toFixed(3)}`;
  slider.setAttribute("aria-valuetext", byId("level").textContent);
  for (const [id, values] of [["noisy", at.x], ["guess", at.x0_hat]]) {
    const context = paintValues(byId(id), values, walk.channels, ZOOM);
    if (!point) continue;
    if (id === "noisy") outline(context, ...point, walk.denoiser === "ideal" ? 2 * SIZE : walk.window, ZOOM, true);
    outline(context, ...point, 1, ZOOM, false);
  }
  byId("noisy").setAttribute("aria-label", "The noisy picture; the arrow keys walk over its pixels");
  byId("guess").setAttribute("aria-label", `The guess of ${named(walk)}; the arrow keys walk over its pixels`);
  byId("noisysaid").textContent = `what ${named(walk)} sees${point ? ", its window dashed" : ""}`;
  byId("guesssaid").textContent = `its guess of the clean picture`;
}
const follow = one => { if (one === walk) showSteps(one.steps.length - 1); };
async function drawOnce(window) {
  const one = await reverse(denoiser(), window, limited("seed", 0, 999999), follow);
  if (!one.drawn) return;
  byId("verdict").textContent = verdict(one) + ". The number is the root mean square difference of their pixels; from black to white it is 2.";
  byId("code").textContent = (await ask("code", {images: bytes(), denoiser: one.denoiser, window, seed: one.seed})).code;
  if (trained) await drawNetwork();
}
async function drawNetwork() {
  const one = await reverse("network", 0, limited("seed", 0, 999999), shown => paintValues(byId("network"), shown.steps.at(-1).x0_hat, shown.channels, ZOOM));
  if (!one.drawn) return;
  byId("networksaid").textContent = `the network, ${trained} steps: ${one.distance.toFixed(2)} from training picture ${one.nearest + 1}, ${one.copy ? "a copy" : "not a copy"}`;
}
let again = false;
/** Draw; if something is being drawn already, that is stopped, and what is asked for now is drawn instead. */
async function redraw() {
  again = true;
  if (busy === "draw") return halt();
  while (again && ready && busy === null) {
    again = false;
    if (await work("draw", "Drawing …", () => drawOnce(side()))) await showPixel(point || [SIZE / 2, SIZE / 2]);
  }
}
byId("go").addEventListener("click", redraw);
byId("sweep").addEventListener("click", async () => {
  const done = await work("draw", "Drawing with seven windows …", async () => {
    for (const window of SWEEP) {
      byId("window").value = window;
      showWide();
      await drawOnce(window);
      if (halted) return;
    }
  });
  if (again) await redraw();
  else if (done) await showPixel(point || [SIZE / 2, SIZE / 2]);
});
byId("window").addEventListener("input", showWide);
byId("window").addEventListener("change", () => { if (walk) redraw(); });
byId("denoisers").addEventListener("change", () => { showWide(); if (walk) redraw(); });
byId("step").addEventListener("input", event => showPixel(point, Number(event.target.value)));

// 3. Where does this pixel come from
/** Show the windows behind one pixel of a step: Python weighs those of all pixels of a step at once. */
async function showPixel(where, step = shownStep) {
  if (!walk || walk.steps.length === 0) return;
  point = where;
  showSteps(step);
  if (!point) return;
  const [one, at] = [walk, shownStep];
  if (!one.windows[at]) {
    if (busy !== null || !ready) return;
    byId("pixel").textContent = "Weighing the windows …";
    one.windows[at] = ask("windows", {step: at});
  }
  try {
    const found = await one.windows[at];
    if (!found.image) delete one.windows[at]; // stopped
    else if (one === walk && at === shownStep) tellPixel(one, found);
  } catch (error) {
    delete one.windows[at];
    byId("pixel").textContent = error.message;
  }
}
function tellPixel(one, found) {
  const [row, column] = point, at = row * SIZE + column, C = one.channels, count = found.image.length / PIXELS, items = [];
  const values = (array, from) => array.slice(C * from, C * (from + 1)), whole = one.denoiser === "ideal";
  byId("pixel").textContent = `Row ${row}, column ${column}, step ${shownStep + 1}: ${named(one)} says ${many(values(found.x0_hat, at))}, a weighted mean. ` +
    `About ${about(found.effective[at])} ${whole ? "pictures" : "windows"} compete for it.`;
  for (let k = 0; k < count; k++) {
    const from = at * count + k, image = Number(found.image[from]), share = found.weight[from];
    if (image < 0) continue;
    const center = whole ? [row, column] : [Number(found.row[from]), Number(found.column[from])];
    const where = `training picture ${image + 1}, ${whole ? "all of it" : displacement(center[0] - row, center[1] - column)}`;
    items.push(item(share, `${percent(share)} of ${many(values(found.value, from))}: ${where}`, canvas => {
      const context = paintPicture(canvas, one.training[image], 9);
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", where);
      if (!whole) outline(context, ...center, found.window, 9, true);
      outline(context, ...center, 1, 9, false);
    }));
  }
  items.push(item(found.others[at], `all others: ${percent(found.others[at])}, together they bring ${many(values(found.rest, at))}`, null));
  byId("windows").replaceChildren(...items);
  byId("sum").textContent = `Sum of share × value of those shown ${many(values(found.shown, at))}, others ${many(values(found.rest, at))}; ` +
    `together ${many(values(found.x0_hat, at))}. However heavy the first is, the pixel is the mean of all.`;
}
function item(share, text, draw) {
  const li = document.createElement("li"), canvas = document.createElement("canvas"), box = document.createElement("div");
  box.innerHTML = '<div class="text"></div><div class="track"><div class="bar"></div></div>';
  box.querySelector(".text").textContent = text;
  box.querySelector(".bar").style.width = 100 * share + "%";
  li.append(canvas, box);
  if (draw) draw(canvas);
  else {
    li.className = "others";
    canvas.style.visibility = "hidden";
    canvas.height = 72;
  }
  return li;
}
let held = false; // after a click the mouse may go elsewhere without choosing anything; the next click lets go
for (const id of ["noisy", "guess"]) {
  const canvas = byId(id), go = event => {
    const here = cellUnder(canvas, event, SIZE, SIZE);
    if (event.type !== "pointermove" || !point || here.join() !== point.join()) showPixel(here);
  };
  canvas.addEventListener("pointermove", event => { if (!held && busy === null) go(event); });
  canvas.addEventListener("pointerdown", event => {
    held = event.pointerType === "mouse" && !held;
    go(event);
  });
  canvas.addEventListener("keydown", event => {
    if (!ARROWS[event.key]) return;
    event.preventDefault();
    showPixel(stepTo(point || [SIZE / 2, SIZE / 2], ARROWS[event.key], SIZE, SIZE));
  });
}

// 4. Train a network
function showCurve() {
  const canvas = byId("curve"), context = canvas.getContext("2d"), {width, height} = canvas, style = getComputedStyle(document.body);
  context.clearRect(0, 0, width, height);
  const top = Math.max(...losses, 1e-9), total = limited("steps", 10, 5000), left = 90, bottom = height - 50;
  Object.assign(context, {fillStyle: style.color, strokeStyle: style.color, lineWidth: 2, font: "26px system-ui, sans-serif"});
  context.strokeRect(left, 12, width - left - 12, bottom - 12);
  context.fillText(top.toFixed(2), 8, 34);
  context.fillText("0", 60, bottom);
  context.fillText(`loss of each step, 0 to ${total}`, left, height - 12);
  context.strokeStyle = style.getPropertyValue("--bar");
  context.beginPath();
  losses.forEach((loss, n) => context.lineTo(left + (n + 1) / total * (width - left - 12), bottom - loss / top * (bottom - 12)));
  context.stroke();
}
byId("train").addEventListener("click", async () => {
  const steps = limited("steps", 10, 5000);
  losses = [];
  trained = null;
  const done = await work("train", "Training the network …", async () => {
    await ask("train", {images: bytes(), seed: limited("seed", 0, 999999), steps}, answer => {
      if (answer.loss === undefined) return;
      losses.push(answer.loss);
      byId("progress").value = answer.step / steps;
      if (answer.step % 5 === 0 || answer.step === steps) {
        showCurve();
        byId("loss").textContent = `Step ${answer.step} of ${steps}: loss ${answer.loss.toFixed(3)}, at the start ${losses[0].toFixed(3)}.`;
      }
    });
    trained = losses.length || null;
    if (trained) byId("curve").setAttribute("aria-label", `Loss of each training step, from ${losses[0].toFixed(3)} to ${losses.at(-1).toFixed(3)}`);
  });
  if (done) await work("draw", "Drawing the same noise …", drawNetwork);
  if (again) await redraw();
  else if (!done && ready && trained) say("Training was stopped; the network is what it was by then.");
});

// 5. Take it with you
function download(name, blob) {
  const link = document.createElement("a");
  Object.assign(link, {href: URL.createObjectURL(blob), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
byId("png").addEventListener("click", () => {
  const canvas = document.createElement("canvas");
  paintValues(canvas, walk.drawn, walk.channels, ZOOM);
  canvas.toBlob(blob => download("edudiff_playground.png", blob));
});
byId("python").addEventListener("click", () => download("edudiff_playground.py", new Blob([byId("code").textContent], {type: "text/x-python"})));
byId("cancel").addEventListener("click", () => {
  again = false;
  halt();
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showCurve);
showTraining();
showWide();
showCurve();
start();
