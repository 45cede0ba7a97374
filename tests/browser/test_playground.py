"""The playground in a real Chromium with a real Pyodide: what is drawn there is what the package draws.

Needs what test_explorer.py needs, and EDUDIFF_PYODIDE, a folder with all of Pyodide, which `.ci/pyodide` provides.
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from chromium import SCHEMES, WIDTHS, center, element, look, mouse, serious_faults, text

import edudiff as ed
from edudiff import cli
from edudiff.playground.folder import write
from edudiff.playground.play import COVERING, LEADING, LEAST, Play
from edudiff.playground.serve import server as server_of
from edudiff.support.random import streams

WAIT = 240  # seconds, on a machine that has much else to do


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pyodide = os.environ.get("EDUDIFF_PYODIDE")
    if not pyodide:
        pytest.skip("EDUDIFF_PYODIDE does not name a folder with Pyodide")
    folder = tmp_path_factory.mktemp("play") / "site"
    assert cli.main(["playground", "--out", str(folder), "--pyodide", pyodide]) == 0
    return folder


def served(folder):
    """Serve a folder until the end; returns the server."""
    server = server_of(folder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def opened(browser, folder):
    """The page, opened once, when Python runs in it; all that it asked for is in its log."""
    server = served(folder)
    look(browser)
    browser.get(f"http://127.0.0.1:{server.server_address[1]}/")
    wait(browser)
    yield browser
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(opened):
    """The same, with three hands on it and nothing going on."""
    look(opened)
    choose(opened, "els", 5)
    put(opened, "count", 3)
    put(opened, "seed", 0)
    element(opened, "[data-kind=hands]").click()
    wait(opened)
    return opened


def wait(browser, until="ready && busy === null", seconds=WAIT):
    """Until something is so in the page; what it says if it never is."""
    end = time.monotonic() + seconds
    while not browser.execute_script(f"return Boolean({until})"):
        assert time.monotonic() < end, text(browser, "#said")
        time.sleep(0.1)


def put(browser, name, value):
    """Set a field, as a hand does."""
    browser.execute_script(
        "const one = document.getElementById(arguments[0]); one.value = arguments[1];"
        "one.dispatchEvent(new Event('input', {bubbles: true}));",
        *(name, value),
    )


def choose(browser, denoiser, window):
    browser.execute_script("walk = null")  # so that nothing is drawn yet
    element(browser, f"input[value={denoiser}]").click()
    put(browser, "window", window)


def draw(browser):
    """Press the button; the last picture, (1, H, W, C)."""
    element(browser, "#go").click()
    wait(browser, "ready && busy === null && walk && walk.drawn")
    assert text(browser, "#said") == "Ready."
    drawn = np.array(list(browser.execute_script("return Array.from(walk.drawn)")))
    return drawn.reshape(1, 16, 16, -1)


def on_page(browser):
    """The training pictures of the page, RGB bytes."""
    return np.array(browser.execute_script("return Array.from(bytes())"), np.uint8)


def images_on(browser):
    rgb = on_page(browser).reshape(-1, 16, 16, 3)
    gray = (rgb == rgb[..., :1]).all()
    return ed.data.from_uint8(rgb[..., :1] if gray else rgb)


def expected(images, denoise, seed=0):
    schedule = ed.schedule.cosine()
    x = ed.reverse.start(schedule, (1, *images.shape[1:]), streams(seed, 1), like=images)
    return list(ed.reverse.steps(denoise, schedule, x, schedule.times(20)))


@pytest.mark.parametrize(
    ("kind", "name", "window"),
    (("hands", "els", 5), ("strokes", "local", 7), ("faces", "ideal", 5), ("faces", "els", 3)),
)
def test_the_page_draws_what_the_package_draws(kind, name, window, page):
    element(page, f"[data-kind={kind}]").click()
    wait(page)
    choose(page, name, window)
    put(page, "seed", 11)
    drawn, images = draw(page), images_on(page)
    assert images.shape == (3, 16, 16, 3 if kind == "faces" else 1)
    denoise = ed.scores.ideal(images) if name == "ideal" else getattr(ed.scores, name)(images, window)
    steps = expected(images, denoise, seed=11)
    np.testing.assert_allclose(drawn, steps[-1].x_next, atol=1e-5, rtol=0)
    shown = page.execute_script("return walk.steps.map(one => Array.from(one.x0_hat))")
    for found, step in zip(shown, steps, strict=True):
        np.testing.assert_allclose(found, step.x0_hat.ravel(), atol=1e-5, rtol=0)
    distance = np.sqrt(((steps[-1].x_next - images) ** 2).mean(axis=(1, 2, 3))).min()
    assert f", seed 11: {distance:.2f} from training picture" in text(page, "#verdict")
    assert text(page, "#drawn li") in text(page, "#verdict")


def shown_shares(browser):
    lines = browser.execute_script("return [...document.querySelectorAll('#windows .text')].map(e => e.textContent)")
    found = [line.removeprefix("all others: ").split(" %")[0] for line in lines]
    return [float(share) / 100 for share in found], lines


@pytest.mark.parametrize(("name", "window"), (("els", 5), ("local", 5), ("ideal", 5)))
def test_pointing_shows_the_windows_of_a_pixel(name, window, page):
    choose(page, name, window)
    draw(page)
    images = images_on(page)
    denoise = ed.scores.ideal(images) if name == "ideal" else getattr(ed.scores, name)(images, window)
    step = expected(images, denoise)[-1]
    side = COVERING if name == "ideal" else window
    patch = ed.denoisers.Patch(images, side, shifts=name == "els", backend="numpy")
    found = ed.denoisers.provenance(patch, step.x, step.alpha, step.sigma, LEADING)
    mouse(page, "mouseMoved", center(page, "#guess", 6, 9, 16, 16))
    wait(page, "document.querySelector('#pixel').textContent.startsWith('Row 6, column 9, step 20')")
    shares, lines = shown_shares(page)
    weight = found.weight[0, 6, 9][found.weight[0, 6, 9] >= LEAST]
    np.testing.assert_allclose(shares, [*weight, 1 - weight.sum()], atol=6e-4)
    assert sum(shares) == pytest.approx(1, abs=4e-3)
    assert f"of {found.value[0, 6, 9, 0, 0]:.3f}: training picture {found.image[0, 6, 9, 0] + 1}, " in lines[0]
    assert f"says {step.x0_hat[0, 6, 9, 0]:.3f}, a weighted mean" in text(page, "#pixel")
    from selenium.webdriver.common.keys import Keys

    element(page, "#noisy").send_keys(Keys.ARROW_DOWN, Keys.ARROW_RIGHT)
    wait(page, "document.querySelector('#pixel').textContent.startsWith('Row 7, column 10,')")
    weight = found.weight[0, 7, 10][found.weight[0, 7, 10] >= LEAST]
    shares, _ = shown_shares(page)
    assert shares[-1] == pytest.approx(1 - weight.sum(), abs=6e-4)
    element(page, "#step").send_keys(Keys.ARROW_LEFT)
    wait(page, "document.querySelector('#pixel').textContent.includes('step 19:')")
    assert sum(shown_shares(page)[0]) == pytest.approx(1, abs=4e-3)


def test_a_wider_window_turns_invention_into_copying(page):
    from selenium.webdriver.common.keys import Keys

    draw(page)
    assert text(page, "#verdict").startswith("ELS 5, seed 0:") and "not a copy" in text(page, "#verdict")
    element(page, "#window").send_keys(Keys.END)  # by the keyboard; it draws again by itself
    wait(page, "ready && busy === null && walk.window === 31 && walk.drawn")
    assert "ELS 31, seed 0:" in text(page, "#verdict") and "not a copy" not in text(page, "#verdict")
    assert text(page, "#wide") == "31 pixels: the whole picture"


def test_pictures_are_drawn_with_mouse_finger_and_keys(page):
    from selenium.webdriver.common.keys import Keys

    element(page, "#new").click()
    put(page, "width", "1")
    before = on_page(page).reshape(-1, 16, 16, 3)
    assert len(before) == 4 and not before[3].any()
    start, end = (center(page, "#editor", 4, column, 16, 16) for column in (3, 8))
    click = {"button": "left", "buttons": 1, "clickCount": 1}
    mouse(page, "mousePressed", start, **click)
    mouse(page, "mouseMoved", end, **click)
    mouse(page, "mouseReleased", end, button="left")
    wanted = np.zeros((16, 16), bool)
    wanted[4, 3:9] = True  # no pixel of the way is passed over
    np.testing.assert_array_equal(on_page(page).reshape(-1, 16, 16, 3)[3] == 255, np.stack([wanted] * 3, -1))
    x, y = center(page, "#editor", 10, 10, 16, 16)
    for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
        page.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    wanted[10, 10] = True
    element(page, "#editor").send_keys(Keys.ARROW_DOWN, " ", Keys.SHIFT + Keys.ARROW_RIGHT)
    wanted[11, 10:12] = True
    now = on_page(page).reshape(-1, 16, 16, 3)
    np.testing.assert_array_equal(now[3] == 255, np.stack([wanted] * 3, -1))
    np.testing.assert_array_equal(now[:3], before[:3])
    put(page, "pen", "220,60,60")
    element(page, "#editor").send_keys(" ")
    assert images_on(page).shape[-1] == 3
    np.testing.assert_allclose(
        draw(page), expected(images_on(page), ed.scores.els(images_on(page), 5))[-1].x_next, atol=1e-5
    )
    put(page, "width", "2")
    put(page, "pen", "255,255,255")
    element(page, "#remove").click()
    assert len(on_page(page)) == 3 * 16 * 16 * 3


def test_image_files_become_training_pictures(page, tmp_path):
    pytest.importorskip("PIL")
    from PIL import Image

    rng = np.random.default_rng(0)
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path, shape in zip(paths, ((40, 32, 3), (20, 20, 3)), strict=True):
        Image.fromarray(rng.integers(0, 256, shape).astype(np.uint8)).save(path)
    element(page, "#files").send_keys("\n".join(map(str, paths)))
    wait(page, "ready && busy === null && training.length === 2")
    read = ed.data.to_uint8(ed.data.folder.read_images(paths, 16))
    assert np.abs(on_page(page).astype(int) - read.ravel()).max() <= 1  # of another version of Pillow
    drop(page, paths[1])
    wait(page, "ready && busy === null && training.length === 1")
    assert np.abs(on_page(page).astype(int) - read[1].ravel()).max() <= 1
    page.execute_script("busy = 'test'")
    drop(page, paths[0])
    assert text(page, "#said") == "Something is still running; drop the files again when it has ended."
    page.execute_script("busy = null")
    (tmp_path / "notes.png").write_text("no picture")
    element(page, "#files").send_keys(str(tmp_path / "notes.png"))
    wait(page, "document.querySelector('#said').textContent.includes('cannot be read as a picture')")
    assert len(on_page(page)) == 16 * 16 * 3


def drop(browser, path):
    """Drop a file on the page."""
    browser.execute_script(
        "const held = new DataTransfer(); held.items.add(new File([new Uint8Array(arguments[0])], 'dropped.png'));"
        "document.body.dispatchEvent(new DragEvent('drop', {bubbles: true, cancelable: true, dataTransfer: held}));",
        list(path.read_bytes()),
    )


def test_the_network_is_trained_in_the_page_and_draws_the_same_noise(page):
    put(page, "steps", 12)
    element(page, "#train").click()
    wait(page, "ready && busy === null && trained === 12")
    losses = page.execute_script("return losses")
    asked = {"images": on_page(page), "seed": 0, "steps": 12}
    own = [one["loss"] for one in Play().ask("train", asked) if "loss" in one]
    np.testing.assert_allclose(losses, own, rtol=2e-3)
    assert f"Step 12 of 12: loss {losses[-1]:.3f}" in text(page, "#loss")
    assert text(page, "#networksaid").startswith("the network, 12 steps: ")
    assert page.execute_script("return document.querySelector('#curve').getAttribute('aria-label')").startswith(
        f"Loss of each training step, from {losses[0]:.3f} to"
    )
    draw(page)  # the formula, then the network again
    assert text(page, "#drawn li").startswith("the network, seed 0: ")


def test_what_is_running_can_be_stopped(page):
    put(page, "steps", 5000)
    element(page, "#train").click()
    wait(page, "losses.length > 2")
    element(page, "#cancel").click()
    wait(page)
    assert 2 < page.execute_script("return losses.length") < 5000
    assert not element(page, "#cancel").is_displayed() and text(page, "#said").startswith("Training was stopped")
    assert draw(page).shape == (1, 16, 16, 1)


def test_python_is_ended_and_loaded_again_if_it_does_not_stop(page):
    put(page, "steps", 5000)
    page.execute_script("patience = 0; window.before = worker")
    element(page, "#train").click()
    wait(page, "losses.length > 2")
    element(page, "#cancel").click()
    wait(page, "worker !== window.before")
    wait(page)
    page.execute_script("patience = 1500")
    assert text(page, "#said") == "Ready. Press Draw."
    np.testing.assert_allclose(
        draw(page), expected(images_on(page), ed.scores.els(images_on(page), 5))[-1].x_next, atol=1e-5
    )


def test_picture_and_python_can_be_taken_along(page, tmp_path):
    choose(page, "els", 7)
    put(page, "seed", 2)
    drawn = draw(page)
    where = {"behavior": "allow", "downloadPath": str(tmp_path)}
    page.execute_cdp_cmd("Browser.setDownloadBehavior", where)
    for button, name in (("python", "edudiff_playground.py"), ("png", "edudiff_playground.png")):
        element(page, f"#{button}").click()
        end = time.monotonic() + WAIT
        while not (tmp_path / name).exists():
            assert time.monotonic() < end, name
            time.sleep(0.1)
    where = os.environ | {"PYTHONPATH": str(Path(ed.__file__).parents[1])}
    subprocess.run(
        [sys.executable, "edudiff_playground.py"], cwd=tmp_path, env=where, check=True, stdout=subprocess.PIPE
    )
    np.testing.assert_allclose(np.load(tmp_path / "drawn.npy"), drawn, atol=1e-5, rtol=0)
    pytest.importorskip("PIL")
    from PIL import Image

    with Image.open(tmp_path / "edudiff_playground.png") as picture:
        pixels = np.asarray(picture.convert("L"), float)[10::20, 10::20]  # (16, 16), the middle of each square
    np.testing.assert_allclose(pixels, 127.5 * (np.clip(drawn[0, :, :, 0], -1, 1) + 1), atol=1)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_width_of_the_playground_scrolls_sideways(width, page):
    draw(page)
    look(page, width)
    page.execute_script("document.querySelector('details').open = true")
    inside, outside = page.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    far = "return [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth)"
    wide = page.execute_script(far + ".map(e => e.id || e.outerHTML.slice(0, 60))")
    page.execute_script("document.querySelector('details').open = false")
    assert inside <= outside == width, wide


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_no_serious_fault_in_the_playground(scheme, page):
    draw(page)
    look(page, scheme=scheme)
    assert serious_faults(page) == []


def test_no_request_has_left_and_nothing_has_failed(page):
    """Of all that was done above: the browser knows no address but this machine's, and asked for no other."""
    draw(page)
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    sent = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    own, web = page.current_url.split("#")[0], ("http:", "https:", "ws:", "wss:", "ftp:")
    assert any(url == f"{own}page.js" for url in sent)
    assert [url for url in sent if url.startswith(web) and not url.startswith(own)] == []
    assert page.get_log("browser") == []


@pytest.mark.parametrize(
    ("lacks", "said"),
    (
        ("WebAssembly", "WebAssembly is missing or switched off in this browser"),
        ("Worker", "This browser has no web workers"),
        ("network", "Is there a network? For use without one: “edudiff playground --pyodide DIR”"),
        ("server", "This page was opened as a file, and browsers start no Python from a file."),
    ),
)
def test_what_is_missing_is_told(lacks, said, browser, tmp_path):
    look(browser)
    file = write(tmp_path / "play")  # which loads Pyodide from its public address
    server = served(file.parent)
    script = {"source": f"delete window.{lacks};" if lacks[0].isupper() else ""}
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)
    try:
        browser.get(file.as_uri() if lacks == "server" else f"http://127.0.0.1:{server.server_address[1]}/")
        wait(browser, f"document.querySelector('#said').textContent.includes({json.dumps(said)})", 30)
        assert "wrong" in element(browser, "#state").get_attribute("class")
        assert element(browser, "#go").get_attribute("disabled")
        element(browser, "#new").click()  # what needs no Python works
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
        browser.get("about:blank")
        server.shutdown()
        server.server_close()
