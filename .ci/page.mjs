// `node .ci/page.mjs PYODIDE PROJECT PACKAGES`: the page's tests and its lesson, run by the Python of a browser.
// PACKAGES: a folder with pytest and hypothesis. Python has no threads there, no compiled code, and 32-bit addresses.
import { pathToFileURL } from "node:url";
const [pyodidePath, project, packages] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(pyodidePath + "/pyodide.mjs"));
const pyodide = await loadPyodide({ indexURL: pyodidePath + "/", env: { HOME: "/home/pyodide", EDUDIFF_FAST: "1", MPLBACKEND: "Agg", PYTHONDONTWRITEBYTECODE: "1" } });
await pyodide.loadPackage(["numpy", "matplotlib"], { messageCallback: () => {} });
pyodide.mountNodeFS("/project", project);
pyodide.mountNodeFS("/packages", packages);
let failed = 1;
try {
  failed = pyodide.runPython(`
import os, runpy, sys, time
sys.path[:0] = ["/project", "/packages"]
import pytest
begun = time.perf_counter()
os.chdir("/project")
failed = int(pytest.main(["-q", "--capture=sys", "-p", "no:cacheprovider", "tests/test_scores.py", "tests/test_convnet.py"]))
print(f"tests: {time.perf_counter() - begun:.0f} s", flush=True)
begun = time.perf_counter()
os.chdir("/tmp")
runpy.run_path("/project/lessons/00_the_whole_story.py")
print(f"lesson 0: {time.perf_counter() - begun:.0f} s", flush=True)
failed
`);
} catch (error) {
  console.error(error.message); // and not the whole of Pyodide, which Node would quote
}
console.log(`processor: ${Math.round(process.cpuUsage().user / 1e6)} s`);
process.exit(failed);
