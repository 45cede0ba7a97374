"""Lessons in the page where a reader runs them: the built site, JupyterLite, a real Pyodide, all from this machine.

python lessons/build_site.py OUT --fast --pyodide "$(.ci/pyodide)" && EDUDIFF_BROWSER=1 EDUDIFF_SITE=OUT pytest THIS
`EDUDIFF_LESSONS` names the lessons to run, such as "00 09"; by default one.
"""

import os
import time
from pathlib import Path

import chromium
import pytest

LESSONS = sorted((Path(__file__).parents[2] / "lessons").glob("[0-9]*.py"))
CHOSEN = os.environ.get("EDUDIFF_LESSONS", "01").split()
PATIENCE = 280  # seconds
CELLS = """
const notebook = window.jupyterapp && jupyterapp.shell.currentWidget;
if (!notebook || !notebook.content || !notebook.content.model) return null;
return [...notebook.content.model.cells].map(cell => cell.toJSON());
"""
READY = """
const context = window.jupyterapp && jupyterapp.shell.currentWidget && jupyterapp.shell.currentWidget.sessionContext;
return Boolean(context && context.isReady && context.session && context.session.kernel);
"""


@pytest.fixture(scope="module")
def address():
    """Where the site is served, on this machine."""
    site = Path(os.environ.get("EDUDIFF_SITE", "/nowhere"))
    if not (site / "lite" / "pyodide" / "pyodide.js").is_file():
        pytest.skip("EDUDIFF_SITE names no site that was built with --pyodide")
    with chromium.served(site) as address:
        yield address


@pytest.fixture
def browser(tmp_path):
    if os.environ.get("EDUDIFF_BROWSER") != "1":
        pytest.skip("a browser is driven when EDUDIFF_BROWSER is 1; .ci/browser does that")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync"):
        options.add_argument(f"--{flag}")
    for flag in ("disable-background-networking", "disable-component-update", f"user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options=options)
    made.set_script_timeout(PATIENCE)
    yield made
    made.quit()


def waited(look, seconds, what):
    """What `look()` gives as soon as it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.5)
    raise AssertionError(f"after {seconds} s there is no {what}")


@pytest.mark.parametrize("path", [p for p in LESSONS if p.stem[:2] in CHOSEN], ids=lambda path: path.stem)
def test_a_lesson_runs_to_its_end_where_a_reader_runs_it(path, address, browser, capsys):
    begun = time.monotonic()
    browser.get(f"{address}/{path.stem}.html")
    link = browser.find_element("css selector", ".launch a.run").get_attribute("href")
    browser.get(link)
    waited(lambda: browser.execute_script(READY), PATIENCE, "kernel")
    browser.execute_script("jupyterapp.commands.execute('notebook:run-all-cells')")

    def finished():
        code = [cell for cell in browser.execute_script(CELLS) or () if cell["cell_type"] == "code"]
        wrong = [o for cell in code for o in cell["outputs"] if o["output_type"] == "error"]
        return code if code and (wrong or all(cell["execution_count"] for cell in code)) else None

    cells = waited(finished, PATIENCE, "last cell")
    outputs = [output for cell in cells for output in cell["outputs"]]
    errors = [f"{o['ename']}: {o['evalue']}" for o in outputs if o["output_type"] == "error"]
    assert errors == []
    assert any("image/png" in output.get("data", {}) for output in outputs)
    said = "".join("".join(o["text"]) for o in outputs if o["output_type"] == "stream" and o["name"] == "stdout")
    assert said.strip()
    with capsys.disabled():
        print(f"\n{path.stem}: {time.monotonic() - begun:.0f} s in the browser, from its page to its last cell")
