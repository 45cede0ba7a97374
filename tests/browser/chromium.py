"""A real Chromium for the tests of pages: how it is started, looked at, and pointed with."""

import contextlib
import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

import pytest

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
WIDTHS = (360, 768, 1280)
SCHEMES = ("light", "dark")


def missing():
    """What is not here of what these tests need, or nothing."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "the package selenium is not installed"
    return "".join(f"there is no {name}; " for name in ("chromium", "chromedriver") if not shutil.which(name))


def start(profile):
    """A Chromium with an empty `profile` folder, in which no name but this machine's leads anywhere."""
    lacks = missing()
    if lacks and os.environ.get("EDUDIFF_BROWSER"):
        pytest.fail(f"EDUDIFF_BROWSER is set, but {lacks}")
    if lacks:
        pytest.skip(lacks)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server of files that does not tell of every request."""

    def log_message(self, *_):
        """Say nothing."""


@contextlib.contextmanager
def served(folder):
    """The address at which a folder is served, on this machine, meanwhile."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def look(browser, width=1280, scheme="light", motion="reduce", media=""):
    """How wide the page is from here on, and what its reader wishes."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    wishes = {"prefers-color-scheme": scheme, "prefers-reduced-motion": motion}
    features = [{"name": name, "value": value} for name, value in wishes.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def element(browser, selector):
    return browser.find_element("css selector", selector)


def text(browser, selector):
    return browser.execute_script("return document.querySelector(arguments[0]).textContent", selector)


def center(browser, selector, row, column, rows, columns):
    """Where the middle of one cell of a canvas is on the screen, once it is scrolled there."""
    return browser.execute_script(
        "const c = document.querySelector(arguments[0]); c.scrollIntoView({block: 'center'});"
        "const b = c.getBoundingClientRect(), [, r, k, n, m] = arguments;"
        "return [b.left + (k + .5) / m * b.width, b.top + (r + .5) / n * b.height];",
        *(selector, row, column, rows, columns),
    )


def mouse(browser, kind, place, **more):
    event = {"type": kind, "x": place[0], "y": place[1], **more}
    browser.execute_cdp_cmd("Input.dispatchMouseEvent", event)


def serious_faults(browser):
    """What axe-core finds that keeps somebody out."""
    if not os.environ.get("EDUDIFF_AXE"):
        pytest.skip("EDUDIFF_AXE does not name axe.min.js of the npm package axe-core")
    browser.execute_script(Path(os.environ["EDUDIFF_AXE"]).read_text())
    report = browser.execute_async_script("axe.run().then(arguments[0])")
    faults = [(v["id"], v["impact"], [n["html"] for n in v["nodes"]][:3]) for v in report["violations"]]
    return [fault for fault in faults if fault[1] in ("serious", "critical")]
