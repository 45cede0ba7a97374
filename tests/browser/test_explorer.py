"""The explorer's page in a real Chromium: what mouse, finger, keys and address show are the numbers of Python.

Needs the packages selenium, chromium and chromedriver; without them it is skipped, but not if EDUDIFF_BROWSER is set.
EDUDIFF_AXE names axe.min.js of the package axe-core, which judges how accessible the page is.
"""

import contextlib
import io
import json
import re
import time

import numpy as np
import pytest
from chromium import SCHEMES, WIDTHS, center, element, look, mouse, serious_faults, text

from edudiff import cli
from edudiff.runs import explore

SMALL = ["--images", "12", "--channels", "4", "--depth", "1", "--train-steps", "2", "--batch", "4", "--size", "14"]
SMALL += ["--seeds", "3", "--steps", "4", "--calibration", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small run with its page."""
    folder = tmp_path_factory.mktemp("hands") / "run"
    assert cli.main(["compare", *SMALL, "--out", str(folder)]) == 0
    assert cli.main(["explore", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def data(folder):
    """What the page holds."""
    text = (folder / "explore.html").read_text()
    return json.loads(re.findall(r'id="data">(.*?)</script>', text, re.DOTALL)[0])


@pytest.fixture
def page(browser, folder):
    """Opens the page of the run with what stands behind the # of its address, as wide as asked."""

    def go(fragment="seed=0&formula=els", width=1280, scheme="light", motion="reduce", media=""):
        look(browser, width, scheme, motion, media)
        browser.get("about:blank")
        browser.get((folder / "explore.html").as_uri() + (f"#{fragment}" if fragment else ""))
        return browser

    return go


def shown(browser):
    """The shares and values that the page lists, the others last: [(share, value), ...]."""
    items = browser.find_elements("css selector", "#windows li")
    lines = [item.find_element("css selector", ".text").text for item in items if item.is_displayed()]
    numbers = [[float(word) for word in re.findall(r"-?\d+\.\d+(?= %|:|$)", line)] for line in lines]
    return [(share / 100, value) for share, value in (found[:2] for found in numbers)]


def expected(data, formula, step, seed, row, column):
    """The same from the arrays, which another test holds to `provenance`, and the pixel's value."""
    one = data["formulas"][formula]
    at = (step, seed, 0, 0) if formula == "ideal" else (step, seed, row, column)
    place, weight = explore.unpacked(one["place"])[at].astype(int), explore.unpacked(one["weight"])[at]  # (K,) each
    flat = explore.unpacked(data["training"]).reshape(len(data["numbers"]), -1)
    height, width = data["shape"][:2]
    pixel = place // 2 % (height * width) if formula != "ideal" else row * width + column
    value = flat[place // 2 // (height * width), pixel]
    there = place >= 0
    x0_hat = explore.unpacked(data["views"][formula]["x0_hat"])[step, seed, row, column, 0]
    rest = x0_hat - (weight * value)[there].sum()
    rows = [*zip(weight[there], value[there], strict=True), (1 - weight[there].sum(), rest)]
    return rows, x0_hat


def check(browser, data, formula, step, seed, row, column):
    """The page shows the numbers of one pixel, and that they add up."""
    rows, x0_hat = expected(data, formula, step, seed, row, column)
    found = shown(browser)
    assert len(found) == len(rows)
    np.testing.assert_allclose(found, rows, atol=6e-4)
    assert sum(share for share, _ in found) == pytest.approx(1, abs=4e-3)
    assert f"Row {row}, column {column}" in text(browser, "#said") and f"{x0_hat:.3f}" in text(browser, "#said")
    by_hand = sum(share * value for share, value in found[:-1]) + found[-1][1]
    assert by_hand == pytest.approx(x0_hat, abs=1e-2)


@pytest.mark.parametrize("formula", ("els", "local", "ideal"))
def test_it_says_how_little_the_heaviest_window_is(formula, page, data):
    number = data["steps"][1]["number"] + 1
    weight = explore.unpacked(data["formulas"][formula]["weight"])[1, ..., 0]  # (B, H, W) or (B, 1, 1)
    median = np.median(np.broadcast_to(weight, (len(data["seeds"]), 14, 14)))
    said = text(page(f"formula={formula}&step={number}"), "#heaviest")
    share = float(re.search(r" has ([\d.]+) % of it, in the median over all pixels of the 3 seeds", said)[1])
    assert share / 100 == pytest.approx(median, rel=0.02, abs=6e-6)


@pytest.mark.parametrize("view", ("els", "network", "noise"))
def test_the_mouse_shows_the_windows_of_a_pixel_in_every_view(view, page, data):
    browser = page()
    mouse(browser, "mouseMoved", center(browser, f"#view-{view}", 6, 9, 14, 14))
    seed = data["seeds"].index(0)
    check(browser, data, "els", len(data["steps"]) - 1, seed, 6, 9)
    click = {"button": "left", "clickCount": 1}
    mouse(browser, "mousePressed", center(browser, f"#view-{view}", 2, 3, 14, 14), **click)
    mouse(browser, "mouseReleased", center(browser, f"#view-{view}", 2, 3, 14, 14), **click)
    mouse(browser, "mouseMoved", center(browser, "#view-local", 10, 10, 14, 14))
    check(browser, data, "els", len(data["steps"]) - 1, seed, 2, 3)


def test_a_finger_shows_the_windows_of_a_pixel(page, data):
    browser = page("seed=1&formula=local", width=360)
    x, y = center(browser, "#view-local", 7, 4, 14, 14)
    for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    check(browser, data, "local", len(data["steps"]) - 1, data["seeds"].index(1), 7, 4)


def test_keys_alone_reach_everything(page, data):
    from selenium.webdriver.common.keys import Keys

    browser = page("seed=2&formula=els&pixel=5,5")
    element(browser, "#view-els").send_keys(Keys.ARROW_DOWN, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    last, seed = len(data["steps"]) - 1, data["seeds"].index(2)
    check(browser, data, "els", last, seed, 6, 7)
    element(browser, "#step").send_keys(Keys.ARROW_LEFT)
    check(browser, data, "els", last - 1, seed, 6, 7)
    number, sigma = data["steps"][last - 1]["number"], data["steps"][last - 1]["sigma"]
    assert text(browser, "#level").startswith(f"Step {number + 1} of 4: noise sigma {sigma:.3f}, window ")
    element(browser, "input[name=formula][value=els]").send_keys(Keys.ARROW_DOWN)
    check(browser, data, "local", last - 1, seed, 6, 7)
    element(browser, "input[name=formula][value=local]").send_keys(Keys.ARROW_DOWN)
    check(browser, data, "ideal", last - 1, seed, 6, 7)
    element(browser, f"input[name=seed][value='{data['seeds'][0]}']").send_keys(Keys.SPACE)
    check(browser, data, "ideal", last - 1, 0, 6, 7)
    element(browser, "body").send_keys(Keys.TAB)
    reached = set()
    for _ in range(40):
        reached.add(browser.execute_script("return document.activeElement.id || document.activeElement.name"))
        browser.switch_to.active_element.send_keys(Keys.TAB)
    assert {"seed", "formula", "step", "play", "view-els", "view-network", "sheet", "copy"} <= reached


def test_the_address_keeps_the_state_and_brings_it_back(page, data):
    number = data["steps"][1]["number"] + 1
    browser = page(f"seed=1&formula=local&step={number}&pixel=3,8&picture={data['numbers'][2]}")
    check(browser, data, "local", 1, data["seeds"].index(1), 3, 8)
    assert f"Training picture {data['numbers'][2]} " in text(browser, "#gave")
    mouse(browser, "mouseMoved", center(browser, "#view-els", 9, 2, 14, 14))
    time.sleep(0.5)
    address = browser.current_url
    assert "pixel=9,2" in address and f"step={number}" in address
    browser = page(address.partition("#")[2])
    check(browser, data, "local", 1, data["seeds"].index(1), 9, 2)
    browser = page("seed=77&formula=none&step=x&pixel=99,-1&picture=")  # what cannot be is as if it was not there
    begin = data["begin"]
    check(browser, data, "els", len(data["steps"]) - 1, 0, begin["row"], begin["column"])


def test_a_training_picture_shows_what_it_gave(page, data):
    browser = page("seed=0&formula=local")
    columns = browser.execute_script("return columns")
    rows = -(-len(data["numbers"]) // columns)
    mouse(browser, "mouseMoved", center(browser, "#sheet", 0, 3, rows, columns))
    one = data["formulas"]["local"]
    place, weight = (explore.unpacked(one[key])[-1, data["seeds"].index(0)] for key in ("place", "weight"))
    gave = np.where((place >= 0) & (place // (2 * 14 * 14) == 3), weight, 0).sum(-1)  # (H, W)
    said = text(browser, "#gave")
    assert f"Training picture {data['numbers'][3]} is among" in said
    assert f"{(gave > 0).sum()} of 196 pixels" in said and f"add up to {gave.sum():.2f} pixels" in said


def test_the_code_that_is_copied_gives_the_numbers_shown(page):
    browser = page("seed=1&formula=els&pixel=4,6")
    found = shown(browser)
    origin = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    browser.execute_cdp_cmd("Browser.grantPermissions", origin)
    element(browser, "#copy").click()
    time.sleep(0.3)
    assert text(browser, "#copied") == "Copied."
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(browser.execute_async_script("navigator.clipboard.readText().then(arguments[0])"), {})
    first, *rest = said.getvalue().splitlines()
    assert f"{float(first.split()[1]):.3f}" in text(browser, "#said")
    printed = sorted(((float(line.split()[8]), float(line.split()[10])) for line in rest), reverse=True)
    np.testing.assert_allclose(found[: len(printed)][:-1], printed[: len(found) - 1], atol=6e-4)


def test_it_plays_once_unless_motion_is_unwelcome(page, data):
    browser = page("", motion="no-preference")
    steps = set()
    for _ in range(60):
        steps.add(int(element(browser, "#step").get_attribute("value")))
        time.sleep(0.1)
    assert steps == set(range(len(data["steps"])))
    begin = data["begin"]
    check(browser, data, "els", len(data["steps"]) - 1, 0, begin["row"], begin["column"])
    assert begin["text"] == text(browser, "#story") and element(browser, "#play").text == "Play"
    browser = page("", motion="reduce")
    assert int(element(browser, "#step").get_attribute("value")) == len(data["steps"]) - 1


@pytest.mark.parametrize("width", WIDTHS)
def test_no_width_scrolls_sideways(width, page):
    browser = page(width=width)
    inside, outside = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert inside <= outside == width
    browser.execute_script("document.querySelector('details').open = true")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_on_paper_it_is_a_still_picture(page):
    browser = page(media="print", scheme="dark")
    assert not element(browser, "#copy").is_displayed() and not element(browser, "#step").is_displayed()
    assert element(browser, "#view-els").is_displayed() and element(browser, "#windows").is_displayed()
    assert browser.execute_script("return getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


def test_no_request_leaves_the_page_and_nothing_fails(page, browser):
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    page()
    element(browser, "#play").click()
    time.sleep(1)
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert any(url.endswith("explore.html") or "explore.html#" in url for url in sent)
    assert all(url.startswith(("file:", "data:", "about:")) for url in sent), sent
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_no_serious_fault(scheme, page):
    assert serious_faults(page(scheme=scheme)) == []
