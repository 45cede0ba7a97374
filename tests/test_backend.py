"""Where an array lives is read from the array; what runs on it is chosen by name."""

import sys
import types

import numpy as np
import pytest

from edudiff.support import arrays, backends

HOST = np.zeros(2)


def test_host_arrays_belong_to_numpy(monkeypatch):
    """And asking never imports CuPy."""
    monkeypatch.setitem(sys.modules, "cupy", None)  # an import would raise
    assert arrays.array_namespace(HOST, HOST) is np
    assert not arrays.is_device_array(HOST)


def test_device_arrays_belong_to_cupy(standin_cupy):
    x = standin_cupy.zeros(2)
    assert arrays.is_device_array(x) and not arrays.is_device_array(HOST)
    assert arrays.array_namespace(x, x + 1) is standin_cupy
    assert arrays.array_namespace(HOST) is np


def test_mixed_places_are_refused(standin_cupy):
    with pytest.raises(TypeError, match=r"different places \(host, GPU\).*edudiff\.support\.arrays\.move"):
        arrays.array_namespace(HOST, standin_cupy.zeros(2))


@pytest.mark.parametrize("thing", [[1.0], 1.0, None, "x", np.float64(1)])
def test_what_is_no_array_is_refused(standin_cupy, thing):
    for others in ([], [HOST], [standin_cupy.zeros(1)]):
        with pytest.raises(TypeError, match=rf"expected NumPy or CuPy arrays, got {type(thing).__name__}"):
            arrays.array_namespace(*others, thing)


def test_there_and_back(standin_cupy):
    host = np.arange(3.0)
    there = arrays.move(host, like=standin_cupy.zeros(1))
    assert type(there) is standin_cupy.ndarray
    back = arrays.move(there, like=host)
    assert type(back) is np.ndarray and np.array_equal(back, host)
    assert arrays.move(host, like=HOST) is host and arrays.move(there, like=there) is there
    assert np.array_equal(arrays.to_numpy(there), host) and arrays.to_numpy(host) is host


def test_choose(standin_cupy, monkeypatch):
    there = standin_cupy.zeros(1)
    for numba, why in ((True, ""), (False, "is not installed: pip install 'edudiff[fast]'")):
        monkeypatch.setattr(backends, "without_numba", lambda why=why: why)
        assert backends.choose(None, HOST) == ("numba" if numba else "numpy")
        assert backends.choose("numpy", HOST) == "numpy"
        assert backends.choose(None, there) == backends.choose("cupy", there) == "cupy"
    with pytest.raises(ImportError, match=r"pip install 'edudiff\[fast\]'"):
        backends.choose("numba", HOST)


@pytest.mark.parametrize("name", ["torch", "Numba", "", 3])
def test_an_unknown_backend_is_refused(name):
    with pytest.raises(ValueError, match=r"expected one of numpy, numba, cupy or None"):
        backends.choose(name, HOST)


def test_a_backend_that_does_not_fit_the_arrays_is_refused(standin_cupy):
    there = standin_cupy.zeros(1)
    for name in ("numpy", "numba"):
        with pytest.raises(ValueError, match=rf"backend is '{name}' but the arrays are on a GPU.*to_numpy"):
            backends.choose(name, there)
    with pytest.raises(ValueError, match=r"the arrays are NumPy arrays; move them with cupy\.asarray"):
        backends.choose("cupy", HOST)


def test_without_numba_says_why(monkeypatch):
    """It is not there, is too old for the NumPy beside it, or is switched off, as debuggers do."""
    config = types.SimpleNamespace(DISABLE_JIT=0)
    monkeypatch.setitem(sys.modules, "numba", types.SimpleNamespace(config=config))
    assert backends.without_numba.__wrapped__() == ""
    config.DISABLE_JIT = 1
    assert backends.without_numba.__wrapped__() == "is switched off by NUMBA_DISABLE_JIT"
    monkeypatch.setitem(sys.modules, "numba", None)
    assert backends.without_numba.__wrapped__() == "is not installed: pip install 'edudiff[fast]'"


def test_a_numba_that_cannot_be_imported_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "numba.py").write_text("raise ImportError('Numba needs NumPy 1.26 or less')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    says = "cannot be imported (Numba needs NumPy 1.26 or less)"
    assert backends.without_numba.__wrapped__() == says
    monkeypatch.setattr(backends, "without_numba", lambda: says)
    assert backends.choose(None, HOST) == "numpy"
    with pytest.raises(ImportError, match=r"Numba cannot be imported \(Numba needs NumPy 1\.26 or less\)"):
        backends.choose("numba", HOST)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of NumPy's, about its matrices
@pytest.mark.parametrize("kind", (np.ma.masked_array, np.asmatrix))
def test_arrays_that_compute_otherwise_are_refused(kind):
    with pytest.raises(TypeError, match=r"expected a plain array, got a (MaskedArray|matrix); make it one with"):
        arrays.array_namespace(HOST, kind(np.ones((2, 2))))
