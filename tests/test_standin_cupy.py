"""The stand-in must refuse what CuPy refuses, or the device tests prove nothing."""

import operator

import numpy as np
import pytest

from edudiff.support import arrays

HOST = np.arange(6.0).reshape(2, 3)


@pytest.fixture
def x(standin_cupy):
    return standin_cupy.asarray(HOST)


REFUSED = {
    "asarray": lambda x, cp: np.asarray(x),
    "numpy ufunc": lambda x, cp: np.exp(x),
    "numpy ufunc, device second": lambda x, cp: np.add(HOST, x),
    "numpy reduction": lambda x, cp: np.sum(x),
    "numpy function": lambda x, cp: np.concatenate([x, x]),
    "list to numpy": lambda x, cp: np.asarray([x, x]),
    "device + host": lambda x, cp: x + HOST,
    "host + device": lambda x, cp: HOST + x,
    "host += device": lambda x, cp: operator.iadd(HOST.copy(), x),
    "device += host": lambda x, cp: x.__iadd__(HOST),
    "device @ host": lambda x, cp: x @ HOST.T,
    "host @ device": lambda x, cp: HOST @ x.T,
    "device < host": lambda x, cp: x < HOST,
    "host == device": lambda x, cp: HOST == x,  # noqa: SIM300
    "host array in a function": lambda x, cp: cp.maximum(x, HOST),
    "host 0-d array in a function": lambda x, cp: cp.maximum(x, np.asarray(1.0)),
    "host array in a list": lambda x, cp: cp.concatenate([x, HOST]),
    "host array alone": lambda x, cp: cp.exp(HOST),
    "host out=": lambda x, cp: cp.exp(x, out=HOST.copy()),
    "host index": lambda x, cp: x[np.array([0, 1])],
    "host mask": lambda x, cp: x[HOST > 2],
    "host value in an assignment": lambda x, cp: x.__setitem__(0, HOST[0]),
    "device value in a host assignment": lambda x, cp: HOST.copy().__setitem__(0, x[0]),
    "device index into host": lambda x, cp: HOST[cp.asarray([0, 1])],
    "host array in a method": lambda x, cp: x.dot(HOST.T),
    "as a range": lambda x, cp: range(cp.asarray(3)),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refuses(x, standin_cupy, what):
    with pytest.raises((TypeError, IndexError)):
        REFUSED[what](x, standin_cupy)


@pytest.mark.parametrize("name", ["random", "testing", "no_such_function"])
def test_has_no(standin_cupy, name):
    with pytest.raises(AttributeError):
        getattr(standin_cupy, name)


def test_has_no_text_or_objects(standin_cupy):
    with pytest.raises(ValueError, match="dtype"):
        standin_cupy.asarray(["a"])


def test_everything_stays_on_the_device(x, standin_cupy):
    cp = standin_cupy
    results = [
        x + 1, 1 - x, np.float64(2) * x, x @ x.T, -x, x > 2, x.sum(), x.max(axis=0), x[0], x[0, 0], x[x > 2], x.T,
        x.reshape(3, 2), x.astype("f4"), cp.exp(x), cp.where(x > 1, x, 0.0), cp.zeros(3), cp.einsum("ij,kj->ik", x, x),
        cp.pad(x, 1, mode="wrap"), cp.roll(x, 1, axis=0), cp.stack([x, x]), cp.argpartition(x, 1, axis=1),
        cp.linalg.eigh(x @ x.T)[0], cp.linalg.svd(x)[2], cp.lib.stride_tricks.sliding_window_view(x, 2, axis=1),
        *x, *cp.linalg.eigh(x @ x.T),
    ]  # fmt: skip
    assert all(type(r) is cp.ndarray for r in results)
    assert arrays.array_namespace(*results) is cp


def test_leaves_the_device_when_told_to(x):
    assert float(x[0, 1]) == 1.0 and int(x.sum()) == 15 and bool((x >= 0).all())
    assert x.tolist() == HOST.tolist() and x.sum().item() == 15.0
    assert type(x.get()) is np.ndarray and len(x) == 2 and x.shape == np.shape(x) == (2, 3)


def test_a_copy_to_the_device_is_a_copy(x, standin_cupy):
    x[0] = 7.0
    x += 1
    assert HOST[0, 0] == 0.0 and x.get()[0, 0] == 8.0
    assert standin_cupy.asarray(x) is x and standin_cupy.array(x) is not x
    assert standin_cupy.asarray(x, dtype="f4").dtype == np.float32


def test_out_is_written_and_returned(x, standin_cupy):
    out = standin_cupy.empty_like(x)
    assert standin_cupy.add(x, 1, out=out) is out
    assert (out.get() == HOST + 1).all()
    assert standin_cupy.array([x[0], x[1]]).shape == (2, 3)


def test_it_is_gone_after_the_test():
    import standin_cupy

    assert not standin_cupy.is_installed()


@pytest.mark.gpu
@pytest.mark.parametrize("what", [w for w in REFUSED if w not in ("numpy ufunc", "numpy reduction", "numpy function")])
def test_cupy_itself_refuses_it_too(what):
    import cupy

    with pytest.raises((TypeError, IndexError, ValueError)):
        REFUSED[what](cupy.asarray(HOST), cupy)
