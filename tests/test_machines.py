"""What the place where the package runs may lack: a terminal, a home, a writable folder, a reader, room."""

import os
import pickle
import signal
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import edudiff
from edudiff.support import interrupt, progress

ROOT = Path(edudiff.__file__).parent
HEARD = [n for n in interrupt.SIGNALS if signal.getsignal(n) is not signal.SIG_IGN]  # nohup has SIGHUP ignored
TRAIN = ["train", "--images", "8", "--size", "14", "--channels", "4", "--depth", "1", "--batch", "4"]


def python(code, **how):
    """What a Python of its own does with `code`, its output as text."""
    how["env"] = os.environ | how.get("env", {})
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, **how)


def command(words, **how):
    return python(f"import sys; from edudiff import cli; sys.exit(cli.main({words!r}))", **how)


def test_threads_are_made_anew_in_a_forked_process(monkeypatch):
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    code = """
import os, threading, types
from contextlib import nullcontext
from edudiff.support import threads
threads.cores = lambda: 2
threads._matrix_library = lambda: types.SimpleNamespace(limit=lambda **_: nullcontext())
both = threading.Barrier(2)  # or one thread would do the work of two, and the child could make the other
threads.map_threads(lambda _: both.wait(), [1, 2])
if child := os.fork():
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
__import__("signal").alarm(20)
os._exit(threads.map_threads(abs, [-3, -4]) != [3, 4])
"""
    assert python(code).returncode == 0


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The package in a zip file, where no kernel can be kept."""
    path = tmp_path_factory.mktemp("packed") / "edudiff.zip"
    with zipfile.ZipFile(path, "w") as file:
        for source in ROOT.rglob("*.py"):
            file.write(source, source.relative_to(ROOT.parent))
    return path


def test_the_package_runs_from_a_zip_file(packed):
    pytest.importorskip("numba")
    code = "import edudiff.fast.exp as e, numpy as np; print(e.__file__, e.exp2(np.float64(3.0)))"
    done = python(code, env={"PYTHONPATH": str(packed)}, cwd=packed.parent)
    assert done.returncode == 0, done.stderr
    assert ".zip" in done.stdout


@pytest.mark.parametrize("spoil", ("no place", "damaged", "full"))
def test_a_kernel_runs_where_it_cannot_be_kept(spoil, tmp_path, monkeypatch):
    pytest.importorskip("numba")
    from numba.core import caching

    from edudiff.fast import jit

    monkeypatch.setattr(jit.numba.config, "CACHE_DIR", str(tmp_path / "kept"))
    if spoil == "no place":
        monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])

    def double(x):
        return 2 * x

    kernel = jit.compiled(double)
    if spoil == "full":
        monkeypatch.setattr(kernel._cache.cache._cache_file, "_save_data", raise_full)
    assert kernel(4) == 8
    files = [*(tmp_path / "kept").rglob("*.nbi")]
    assert bool(files) == (spoil != "no place")
    if spoil == "damaged":
        for path in files:
            path.write_bytes(b"damaged")
    assert jit.compiled(double)(4) == 8
    if spoil == "damaged":  # it is mended: the next process need not compile
        again = jit.compiled(double)
        assert again(4) == 8
        assert sum(again.stats.cache_hits.values()) == 1


def test_compiling_is_told_once(tmp_path, monkeypatch):
    pytest.importorskip("numba")
    from edudiff.fast import jit

    def double(x):
        return 2 * x

    told = []
    monkeypatch.setattr(jit.numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(progress, "compiling", lambda: told.append(1))
    for _ in range(2):
        assert jit.compiled(double)(4) == 8
    assert told == [1]


def test_what_was_compiled_beside_the_package_is_for_all_users(tmp_path, monkeypatch):
    """Also for those who may not write there, whose own compiled code lies elsewhere."""
    pytest.importorskip("numba")
    from edudiff.fast import jit

    (tmp_path / "doubling.py").write_text("def double(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(tmp_path)
    double = __import__("doubling").double
    told = []
    monkeypatch.setattr(progress, "compiling", lambda: told.append(1))
    for own in ("", tmp_path / "own", tmp_path / "another's"):
        monkeypatch.setattr(jit.numba.config, "CACHE_DIR", str(own))
        assert jit.compiled(double)(4) == 8
    assert told == [1] and [*(tmp_path / "__pycache__").glob("*.nbi")]
    for path in (tmp_path / "__pycache__").glob("*.nb?"):
        path.write_bytes(b"damaged")
    assert jit.compiled(double)(4) == 8 and told == [1, 1]
    assert jit.compiled(double)(4) == 8 and told == [1, 1]  # from the user's own


def test_long_compiling_is_told_where_no_progress_is_shown(clock, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Screen(False))
    monkeypatch.setattr(progress, "_compiles", None)
    for seconds in (0, 0.5, 3, 60):
        clock[0] += seconds
        progress.compiling()
    assert sys.stderr.text == "edudiff: compiling, once; what is compiled is kept on disk\n"


def raise_full(*_):
    raise OSError(28, "No space left on device")


def test_a_kernel_is_kept_in_no_folder_named_after_an_unknown_home(tmp_path, monkeypatch):
    pytest.importorskip("numba")
    from edudiff.fast import jit

    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(jit.numba.config, "CACHE_DIR", "")
    assert type(jit.Kept(raise_full).cache).__name__ == "NullCache"


def test_a_signal_is_obeyed_at_the_end_of_the_block():
    for number in HEARD:
        seen = []
        with pytest.raises(KeyboardInterrupt), interrupt.raised(), interrupt.deferred() as stop:
            signal.raise_signal(number)
            seen.append(stop.is_set())
        assert seen == [True]


def test_a_second_signal_is_obeyed_at_once():
    reached = []
    with pytest.raises(KeyboardInterrupt), interrupt.deferred():
        signal.raise_signal(signal.SIGINT)
        reached.append(1)
        signal.raise_signal(signal.SIGINT)
        reached.append(2)
    assert reached == [1]


@pytest.mark.parametrize("handler", (None, signal.SIG_IGN))
def test_a_signal_that_is_not_pythons_or_ignored_is_left_alone(handler, monkeypatch):
    """None is what Python knows of a handler that other code has set; it cannot be set back."""
    set_to = []
    monkeypatch.setattr(signal, "getsignal", lambda number: handler)
    monkeypatch.setattr(signal, "signal", lambda *given: set_to.append(given))
    with interrupt.deferred() as stop, interrupt.raised():
        pass
    assert set_to == []
    assert not stop.is_set()


@pytest.mark.parametrize("number", [n for n in HEARD if n != signal.SIGINT])
def test_a_training_that_is_told_to_end_keeps_its_network(number, tmp_path):
    out = tmp_path / "run"
    code = f"""
import signal, sys
from edudiff import cli, nn
from edudiff.nn import training
step = training.update_ema
def kill(*given):
    step(*given)
    if given[-1] == 3:
        signal.raise_signal({int(number)})
training.update_ema = kill
sys.exit(cli.main({[*TRAIN, "--backend", "numpy", "--out", str(out)]!r}))
"""
    done = python(code)
    assert done.returncode == 128 + number, done.stderr
    assert "--resume" in done.stderr
    assert edudiff.nn.checkpoint.load(out / "network.npz").step == 4


def test_a_reader_that_goes_away_is_no_error():
    for words in (["info"], ["--help"]):
        code = f"import sys; from edudiff import cli; input(); sys.exit(cli.main({words!r}))"
        process = subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, stderr=-1, text=True)
        process.stdout.close()
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stderr.read() == ""
        assert process.wait() == 0


def test_a_full_device_is_an_error_of_one_line():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "edudiff", "info"], stdout=full, stderr=-1, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("edudiff: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("closed", ("2>&-", ">&-", "<&-", "0<&- >&- 2>&-"))
def test_a_closed_stream_costs_no_result(closed, tmp_path):
    if os.name != "posix":
        pytest.skip("no such shell here")
    script = f'exec "$0" -m edudiff {" ".join(TRAIN)} --backend numpy --train-steps 2 --out run {closed}'
    done = subprocess.run(["sh", "-c", script, sys.executable], cwd=tmp_path, stdout=subprocess.DEVNULL)
    assert done.returncode == 0
    assert (tmp_path / "run" / "results.json").exists()


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path):
    if os.name != "posix":
        pytest.skip("no such shell here")
    code = "from edudiff.cli import streams; streams.prepare(); import sys; sys.exit(open('file', 'w').fileno() < 3)"
    done = subprocess.run(["sh", "-c", 'exec "$0" -c "$1" 0<&- 2>&-', sys.executable, code], cwd=tmp_path)
    assert done.returncode == 0


def test_a_letter_that_the_terminal_lacks_costs_no_result(tmp_path):
    out = tmp_path / "größe"
    done = command(
        [*TRAIN, "--backend", "numpy", "--train-steps", "2", "--out", str(out)], env={"PYTHONIOENCODING": "ascii"}
    )
    assert done.returncode == 0, done.stderr
    assert r"gr\xf6\xdfe" in done.stdout


def test_memory_that_runs_out_is_one_line(capsys, monkeypatch):
    from edudiff import cli

    def run_out(args):
        np.empty(10**18)

    monkeypatch.setattr(cli.system, "run_info", run_out)
    assert cli.main(["info"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("edudiff: memory ran out (Unable to allocate")
    assert said.count("\n") == 1


class Screen:
    """A terminal, or a file, that remembers what was written to it."""

    def __init__(self, is_screen):
        self.is_screen, self.text = is_screen, ""

    def isatty(self):
        return self.is_screen

    def write(self, text):
        self.text += text

    def flush(self):
        pass


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests set: clock[0] is the time."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_progress_of_a_file_is_a_plain_line_now_and_then(clock, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Screen(False))
    for _ in progress.bar(range(10), 10, "drawing"):
        clock[0] += 2
    lines = ["drawing      3 of 10, 14 s left", "drawing      6 of 10, 8 s left", "drawing      9 of 10, 2 s left"]
    assert sys.stderr.text.splitlines() == [*lines, "drawing      10 of 10, 20 s"]


def test_time_that_compiles_kernels_is_not_in_what_is_left(clock, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Screen(False))
    for i in progress.bar(range(1000), 1000, "drawing"):
        if i == 0:
            progress.compiling()
            progress.compiling()
        clock[0] += 60 if i == 0 else 6
        if i == 2:
            break
    said = sys.stderr.text.splitlines()
    assert said == ["drawing      compiling, once", "drawing      2 of 1000, 5988 s left"]


def test_progress_of_a_terminal_is_one_line_that_fits(clock, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Screen(True))
    monkeypatch.setenv("COLUMNS", "20")
    for _ in progress.bar(range(10), 10, "drawing"):
        clock[0] += 2
    assert sys.stderr.text.count("\n") == 1
    assert all(len(line) <= 19 for line in sys.stderr.text.rstrip("\n").split("\r"))


@pytest.mark.parametrize("stream", (None, "closed", "gone"))
def test_progress_that_nobody_can_read_costs_no_work(stream, monkeypatch, tmp_path):
    if stream == "closed":
        stream = open(tmp_path / "file", "w")  # noqa: SIM115, closed at once
        stream.close()
    elif stream == "gone":
        stream = Screen(True)
        monkeypatch.setattr(stream, "write", raise_full)
    monkeypatch.setattr(sys, "stderr", stream)
    assert [*progress.bar(range(3), 3, "drawing")] == [0, 1, 2]


IMAGES = edudiff.data.shapes.hands(4, size=14, rng=np.random.default_rng(0))
STRICT = {
    "ideal": edudiff.scores.ideal,
    "els": lambda images: edudiff.scores.els(images, 3),
    "Ideal": edudiff.denoisers.Ideal,
    "Patch": lambda images: edudiff.denoisers.Patch(images, 3, backend="numpy"),
    "entropy": lambda images: edudiff.denoisers.Patch(images, 3, backend="numpy").entropy,
    "provenance": lambda images: partial(edudiff.denoisers.provenance, edudiff.denoisers.Patch(images, 3)),
    "Masked": lambda images: edudiff.denoisers.Masked(images, 0.1),
    "Linear": edudiff.denoisers.Linear.fit,
}


@pytest.fixture
def strict():
    before = np.seterr(all="raise")
    yield
    np.seterr(**before)


@pytest.mark.parametrize("name", STRICT)
def test_a_weight_too_small_to_be_written_is_no_error(name, strict):
    x = np.random.default_rng(1).standard_normal((2, 14, 14, 1))
    for sigma in (1e-3, 0.05, 1.0):
        STRICT[name](IMAGES)(x, 0.9, sigma)


@pytest.mark.parametrize("kind", ("page", "engine"))
def test_training_is_no_error_where_numbers_get_too_small(kind, strict):
    """A gradient of 1e-25, whose square float32 has no number for: images and their error are that small."""
    rng, images, schedule = np.random.default_rng(0), 1e-25 * IMAGES, edudiff.schedule.cosine()
    if kind == "page":
        net, train = edudiff.convnet.init(rng, channels=4, depth=1), edudiff.convnet.train
    else:
        net, train = edudiff.nn.ResNet(4, 1, rng=rng, attention=(0,)), edudiff.nn.train
    assert [state.step for state in train(net, images, schedule, rng=rng, steps=3, batch=4)] == [1, 2, 3]


@pytest.mark.parametrize("name", ("cosine", "ddpm_linear", "log_linear", "flow"))
def test_a_schedule_can_be_pickled(name):
    schedule, t = getattr(edudiff.schedule, name)(), np.linspace(0, 1, 11)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(schedule))(t), schedule(t))


@pytest.mark.parametrize("backend", ("nonsense", "module://not_here.backend", "tkagg"))
def test_a_back_end_of_matplotlib_that_is_not_here_costs_no_picture(backend):
    code = """
import sys
from edudiff import plot
plot.empty_figure(2, 2).savefig(sys.stdout.buffer)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=os.environ | {"MPLBACKEND": backend})
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"\x89PNG")


def test_without_a_home_data_and_pictures_have_their_places():
    """As for a user without an entry in the list of users: Path.home() raises, and ~ stays what it is."""
    code = """
import os, pathlib, sys
os.path.expanduser = lambda path: path
def home(*_): raise RuntimeError("Could not determine home directory.")
pathlib.Path.home = pathlib.Path.expanduser = home
from edudiff import cli, plot
plot.empty_figure(2, 2)
codes = [cli.main(words) for words in (["info"], ["fetch", "mnist"], ["sample", "--data", "mnist"])]
assert codes == [0, 2, 2], codes
"""
    bare = dict.fromkeys(("XDG_CACHE_HOME", "MPLCONFIGDIR", "EDUDIFF_DATA"), "")
    done = python(code, env=bare)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "there is none here; name a place with root" in done.stderr


RNG = np.random.default_rng(0)
SMALL, POINTS = RNG.uniform(-1, 1, (4, 6, 6, 1)).astype("float32"), RNG.standard_normal((6, 2))
FLAT = (edudiff.denoisers.Polynomial, edudiff.denoisers.Bottleneck, edudiff.nn.MLP)
DENOISERS = {
    "ideal": lambda: edudiff.denoisers.Ideal(SMALL),
    "els": lambda: edudiff.denoisers.Patch(SMALL, 3),
    "local, float64": lambda: edudiff.denoisers.Patch(SMALL.astype("float64"), 3, shifts=False),
    "linear": lambda: edudiff.denoisers.Linear.fit(SMALL),
    "masked": lambda: edudiff.denoisers.Masked(SMALL, 0.01),
    "smoothed": lambda: edudiff.denoisers.Smoothed(SMALL, 0.1, rng=np.random.default_rng(0)),
    "polynomial": lambda: edudiff.denoisers.Polynomial.fit(POINTS, 3),
    "bottleneck": lambda: edudiff.denoisers.Bottleneck.fit(POINTS, 1),
    "resnet": lambda: edudiff.nn.ResNet(8, 1),
    "mlp": lambda: edudiff.nn.MLP(2, 4, 1),
}


@pytest.mark.parametrize("make", DENOISERS.values(), ids=DENOISERS)
def test_a_denoiser_can_be_pickled_and_answers_alike(make):
    """As multiprocessing and joblib send it."""
    denoise = make()
    again = pickle.loads(pickle.dumps(denoise))
    x = POINTS[:2] if isinstance(denoise, FLAT) else SMALL[:2]
    np.testing.assert_array_equal(again(x, 0.7, 0.7), denoise(x, 0.7, 0.7))
