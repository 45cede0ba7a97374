"""Shared by all tests: what hypothesis may spend, the stand-in for CuPy, Ctrl-C, and which tests wait for a GPU."""

import base64
import importlib.util
import signal
import sys

import pytest
import standin_cuda
import standin_cupy as standin
from hypothesis import HealthCheck, settings

# The same examples in every run: a failure here is a failure everywhere.
settings.register_profile(
    "edudiff",
    derandomize=True,
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("edudiff")

BLANK = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj3AAAAAABJRU5ErkJggg=="  # one pixel, PNG

# A shell has what it starts in the background ignore Ctrl-C; some tests send it to themselves and to their children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def outside_a_notebook(monkeypatch):
    """Whoever has imported this runs below a notebook's cell, and shows pictures and progress there."""
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)


@pytest.fixture
def blank_pictures(monkeypatch):
    """What is drawn is not turned into pixels, a blank picture is written: for tests that look at none."""
    if importlib.util.find_spec("matplotlib"):
        blank = base64.b64decode(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj3AAAAAABJRU5ErkJggg=="
        )
        monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, file, **how: file.write(blank))


@pytest.fixture
def standin_cupy(monkeypatch):
    """A module that the package takes for CuPy, for the length of one test; see tests/standin_cupy.py.

    def test_x(standin_cupy):
        x = standin_cupy.asarray(host)
    """
    module = standin.module()
    monkeypatch.setitem(sys.modules, "cupy", module)
    return module


@pytest.fixture
def compiling_cupy(standin_cupy):
    """The stand-in, which now compiles CUDA C as well; see tests/standin_cuda.py."""
    if standin_cuda.COMPILER is None:
        pytest.skip("needs a C++ compiler, g++ or clang++, to stand in for CUDA's")
    standin_cupy.RawModule = standin_cuda.RawModule
    return standin_cupy


@pytest.fixture(params=["stand-in", pytest.param("cupy", marks=pytest.mark.gpu)])
def any_cupy(request):
    """The stand-in, and where there is a GPU, CuPy itself as well."""
    return request.getfixturevalue("standin_cupy") if request.param == "stand-in" else pytest.importorskip("cupy")


def pytest_collection_modifyitems(items):
    waiting = [item for item in items if item.get_closest_marker("gpu")]
    if waiting and not _has_gpu():
        for item in waiting:
            item.add_marker(pytest.mark.skip(reason="needs CuPy and a GPU"))


def _has_gpu():
    if importlib.util.find_spec("cupy") is None:
        return False
    import cupy

    try:
        return cupy.cuda.runtime.getDeviceCount() > 0
    except Exception:  # CuPy is installed, its driver is not
        return False
