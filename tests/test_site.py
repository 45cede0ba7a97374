"""The built site in a headless browser. Build it first, it takes minutes; without it, or without chromium, this skips.

python lessons/build_site.py OUT --fast && EDUDIFF_SITE=OUT pytest tests/test_site.py
"""

import functools
import html
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

LESSONS = sorted((Path(__file__).parents[1] / "lessons").glob("[0-9]*.py"))
PHONE, DESKTOP = 390, 1280
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=120000", "--dump-dom"),
)
# A page that opens each page of the site in a frame as wide as the screen, and writes down what it finds there.
LOOK = """<!doctype html><pre id="found"></pre><script>
const pages = PAGES, widths = WIDTHS, found = {};
const wait = milliseconds => new Promise(done => setTimeout(done, milliseconds));
async function look(page, width) {
  const frame = document.createElement("iframe");
  frame.style.width = width + "px"; frame.style.height = "800px";
  const loaded = new Promise(done => { frame.onload = done; });
  frame.src = page; document.body.append(frame);
  await loaded; await wait(page.startsWith("search") ? 3000 : 50);
  const there = frame.contentDocument, all = selector => [...there.querySelectorAll(selector)];
  all("img[loading=lazy]").forEach(image => { image.loading = "eager"; });
  await wait(50);
  found[page + " " + width] = {
    errors: all(".output.traceback, .merror, .system-message").length,
    formulas: all("math").length,
    lost_formulas: all("math").filter(formula => formula.getBoundingClientRect().width == 0 &&
      !formula.closest("details:not([open])")).length,
    pictures: all(".cell_output img").length,
    lost_pictures: all("img").filter(image => image.complete && image.naturalWidth == 0).length,
    scrolls_sideways: there.documentElement.scrollWidth > width,
    folded: all("details:not([open]) summary").filter(s => s.textContent.includes("Answers")).length,
    results: all("#search-results li").length,
    search_box: all("input[name=q]").length,
  };
  frame.remove();
}
(async () => {
  for (const page of pages) for (const width of widths) await look(page, width);
  document.getElementById("found").textContent = JSON.stringify(found);
})();
</script>"""


@pytest.fixture(scope="module")
def site():
    """The folder of the built site."""
    if "EDUDIFF_SITE" not in os.environ:
        pytest.skip("needs a built site: EDUDIFF_SITE=OUT")
    return Path(os.environ["EDUDIFF_SITE"])


@pytest.fixture(scope="module")
def found(site, tmp_path_factory):
    """What the browser finds: {"page width": {...}}."""
    browser = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
    if browser is None:
        pytest.skip("needs chromium")
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(site, folder / "site")
    pages = [path.name for path in site.glob("*.html")] + ["search.html?q=ridge"]
    look = LOOK.replace("PAGES", json.dumps(pages)).replace("WIDTHS", json.dumps([PHONE, DESKTOP]))
    (folder / "site" / "look.html").write_text(look)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder / "site"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/look.html"
    command = [browser, *FLAGS, f"--user-data-dir={folder / 'profile'}", f"--window-size={DESKTOP},900", address]
    page = subprocess.run(command, capture_output=True, text=True, timeout=280, check=True).stdout
    server.shutdown()
    server.server_close()
    return json.loads(html.unescape(re.search(r'<pre id="found">(.*?)</pre>', page, re.DOTALL)[1]))


def test_no_page_has_an_error_or_a_lost_picture_or_formula(found):
    for page, seen in found.items():
        assert (seen["errors"], seen["lost_pictures"], seen["lost_formulas"]) == (0, 0, 0), page


def test_no_page_scrolls_sideways(found):
    assert [page for page, seen in found.items() if seen["scrolls_sideways"]] == []


def test_every_lesson_has_formulas_pictures_and_folded_answers(found):
    for path in LESSONS:
        for width in (PHONE, DESKTOP):
            seen = found[f"{path.stem}.html {width}"]
            assert seen["pictures"] > 0
            assert seen["folded"] == (path.stem[:2] != "00")  # the whole story asks nothing
    assert sum(found[f"{path.stem}.html {PHONE}"]["formulas"] > 0 for path in LESSONS) >= len(LESSONS) - 4


def test_the_search_box_finds_something(found):
    assert found[f"index.html {DESKTOP}"]["search_box"] >= 1
    assert found[f"search.html?q=ridge {DESKTOP}"]["results"] > 0
