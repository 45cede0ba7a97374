"""Every page of the built site in a headless browser. Build it first; without it, or without chromium, this skips.

python lessons/build_site.py OUT --fast && EDUDIFF_SITE=OUT pytest tests/test_site.py
"""

import functools
import html
import http.server
import importlib.util
import json
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

LESSONS = sorted((Path(__file__).parents[1] / "lessons").glob("[0-9]*.py"))
PHONE, TABLET, DESKTOP = 360, 768, 1280
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=240000", "--dump-dom"),
    "--enable-logging=stderr",  # with what the console says
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
    buttons: all(".launch a").length,
    cards: all(".sd-card img").length,
    copy: all("button.copybtn").length,
    dark: all(".theme-toggle").length,
    parameters: all("dl.field-list dt").filter(name => name.textContent.startsWith("Parameters")).length,
    without_text: all("img:not([alt])").length,
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
def seen(site, tmp_path_factory):
    """What the browser finds, {"page width": {...}}, what its console says, and what it asked for in vain."""
    browser = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
    if browser is None:
        pytest.skip("needs chromium")
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(site, folder / "site", ignore=shutil.ignore_patterns("lite"))
    pages = [path.name for path in site.glob("*.html")] + ["search.html?q=ridge"]
    look = LOOK.replace("PAGES", json.dumps(pages)).replace("WIDTHS", json.dumps([PHONE, TABLET, DESKTOP]))
    (folder / "site" / "look.html").write_text(look)
    vain = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, text, *words):
            if text == "code %d, message %s":
                vain.append((self.path, words))

    handler = functools.partial(Handler, directory=str(folder / "site"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/look.html"
    command = [browser, *FLAGS, f"--user-data-dir={folder / 'profile'}", f"--window-size={DESKTOP},900", address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=True)
    server.shutdown()
    server.server_close()
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return (
        json.loads(html.unescape(re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)[1])),
        console,
        vain,
    )


@pytest.fixture(scope="module")
def found(seen):
    """What the browser finds: {"page width": {...}}."""
    return seen[0]


def test_the_console_says_nothing_and_all_that_a_page_asks_for_is_there(seen):
    _, console, vain = seen
    assert console == []
    assert [path for path, _ in vain if path != "/favicon.ico"] == []  # which the page that looks has not


def test_no_link_is_broken(site):
    spec = importlib.util.spec_from_file_location("build_site", LESSONS[0].parent / "build_site.py")
    build_site = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build_site)
    assert build_site.broken_links(site) == []


def test_no_page_has_an_error_or_a_lost_picture_or_formula(found):
    for page, there in found.items():
        assert (there["errors"], there["lost_pictures"], there["lost_formulas"]) == (0, 0, 0), page
        assert there["without_text"] == 0, page


def test_no_page_scrolls_sideways(found):
    assert [page for page, there in found.items() if there["scrolls_sideways"]] == []


def test_every_lesson_has_formulas_pictures_and_folded_answers(found):
    for path in LESSONS:
        for width in (PHONE, TABLET, DESKTOP):
            there = found[f"{path.stem}.html {width}"]
            assert there["pictures"] > 0
            assert there["folded"] == (path.stem[:2] != "00")  # the whole story asks nothing
            assert there["buttons"] >= 3  # .ipynb, .py, Colab; and one more where it runs in the browser
            assert there["copy"] >= 5
    assert sum(found[f"{path.stem}.html {PHONE}"]["formulas"] > 0 for path in LESSONS) >= len(LESSONS) - 4


def test_the_search_box_finds_something(found):
    assert found[f"index.html {DESKTOP}"]["search_box"] >= 1
    assert found[f"search.html?q=ridge {DESKTOP}"]["results"] > 0


def test_the_first_page_shows_a_card_for_each_lesson(found):
    assert found[f"index.html {DESKTOP}"]["cards"] == len(LESSONS)
    assert found[f"index.html {DESKTOP}"]["dark"] >= 1


def test_the_reference_lists_parameters(found):
    assert found[f"api_denoisers.html {DESKTOP}"]["parameters"] > 10
