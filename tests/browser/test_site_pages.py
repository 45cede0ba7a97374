"""The built site in a real Chromium, light and dark: each kind of page is read by everybody, at three widths.

python lessons/build_site.py OUT --fast && EDUDIFF_BROWSER=1 EDUDIFF_SITE=OUT EDUDIFF_AXE=axe.min.js pytest THIS
"""

import os
from pathlib import Path

import chromium
import pytest
from chromium import SCHEMES, WIDTHS, look, serious_faults

KINDS = ("index", "02_the_score", "21_what_did_i_do_wrong", "api_scores", "course", "glossary", "search")
KINDS += ("playground/index",)


@pytest.fixture(scope="module")
def address():
    """Where the site is served, on this machine."""
    if "EDUDIFF_SITE" not in os.environ:
        pytest.skip("needs a built site: EDUDIFF_SITE=OUT")
    with chromium.served(Path(os.environ["EDUDIFF_SITE"])) as address:
        yield address


@pytest.mark.parametrize(("motion", "picture"), (("reduce", "opening.png"), ("no-preference", "film.gif")))
def test_the_first_picture_stands_still_for_those_who_ask_for_that(motion, picture, address, browser):
    look(browser, motion=motion)
    browser.get(f"{address}/index.html")
    shown = browser.execute_script("const p = document.querySelector('.hero'); return [p.currentSrc, p.naturalWidth]")
    assert shown[0] == f"{address}/_static/{picture}" and shown[1] > 0


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_read_by_everybody_and_silent(kind, scheme, address, browser):
    browser.get_log("browser")
    for width in WIDTHS:
        look(browser, width, scheme)
        browser.get(f"{address}/{kind}.html")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        dark = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, dark.strip("rgba()").split(",")[:3])) < 150) == (scheme == "dark"), dark
        assert serious_faults(browser) == []
    assert browser.get_log("browser") == []
