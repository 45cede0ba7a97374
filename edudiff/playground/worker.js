"use strict";
// Python, beside the page and not in its way. The page asks {id, question, words}; answers come back under the same id.
let pyodide = null, play = null;
const stopped = new Set();
const tell = (id, answer) => postMessage({id, ...answer});
const lastLine = error => String(error.message || error).trim().split("\n").pop(); // of a traceback, what it says

/** Load Pyodide from an address, NumPy, and the package; say how far it is. */
async function begin({id, address}) {
  tell(id, {progress: "Loading Python …", part: 0.1});
  try {
    importScripts(address + "pyodide.js");
    pyodide = await loadPyodide({indexURL: new URL(address, location.href).href});
    tell(id, {progress: "Loading NumPy …", part: 0.5});
    await pyodide.loadPackage("numpy", {messageCallback: () => {}});
    tell(id, {progress: "Loading edudiff …", part: 0.7});
    const answer = await fetch("package.zip");
    if (!answer.ok) throw new Error(`package.zip: ${answer.status} ${answer.statusText}`);
    pyodide.unpackArchive(await answer.arrayBuffer(), "zip", {extractDir: pyodide.runPython("import site; site.getsitepackages()[0]")});
    tell(id, {progress: "Starting edudiff …", part: 0.8});
    play = pyodide.runPython("from edudiff.playground.play import Play; Play()");
    const [edudiff, python, numpy] = pyodide.runPython(
      "import sys, numpy, edudiff; [edudiff.__version__, sys.version.split()[0], numpy.__version__]").toJs();
    tell(id, {versions: `edudiff ${edudiff}, Python ${python}, NumPy ${numpy}`, done: true});
  } catch (error) {
    tell(id, {error: lastLine(error), done: true});
  }
}

/** Put one question to Python; between two answers other messages get their turn, so that it can be stopped. */
async function ask({id, question, words}) {
  let answers = null;
  try {
    if (question === "read") await pyodide.loadPackage("pillow", {messageCallback: () => {}});
    answers = play.ask(question, pyodide.toPy(words));
    for (const answer of answers) {
      tell(id, answer.toJs({dict_converter: Object.fromEntries}));
      answer.destroy();
      await new Promise(later => setTimeout(later));
      if (stopped.has(id)) break;
    }
    tell(id, {done: true});
  } catch (error) {
    tell(id, {error: lastLine(error), done: true});
  } finally {
    if (answers) answers.destroy();
    stopped.delete(id);
  }
}

onmessage = ({data}) => {
  if (data.stop) stopped.add(data.stop);
  else if (data.address) begin(data);
  else ask(data);
};
