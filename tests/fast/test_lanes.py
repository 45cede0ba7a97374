"""The vector type of the kernels: each operation in every lane, and what is built on it."""

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

from edudiff.fast.exp import exp2
from edudiff.fast.jit import compiled
from edudiff.fast.lanes import (
    CACHE_LINE,
    LANES,
    below,
    cast,
    empty,
    first_bit,
    larger,
    load,
    lowest,
    pick,
    spread,
    store,
)
from edudiff.fast.sums import add_up, sum_rows, sum_to_ends

REAL = [np.float32, np.float64]


def numbers(real, count=LANES, seed=0):
    return np.random.default_rng(seed).standard_normal(count).astype(real)


@compiled
def arithmetic(a, b, two, out):
    x, y = load(a, 0), load(b, 0)
    store(out, 0, x * y - x)
    store(out, LANES, two * x + two)
    store(out, 2 * LANES, larger(x, y) - spread(pick(a, 3)))


@pytest.mark.parametrize("real", REAL)
def test_arithmetic_goes_lane_by_lane(real):
    a, b, out = numbers(real), numbers(real, seed=1), np.zeros(3 * LANES, real)
    arithmetic(a, b, real(2), out)
    expected = np.concatenate([a * b - a, 2 * a + 2, np.maximum(a, b) - a[3]])
    np.testing.assert_allclose(out, expected, rtol=1e-5 if real == np.float32 else 1e-14)


@compiled
def comparisons(a, limit):
    bits = below(load(a, 0), load(limit, 0))
    return bits, first_bit(bits), lowest(load(a, 0))


@pytest.mark.parametrize("real", REAL)
def test_bits_tell_which_lanes_are_below(real):
    a, limit = numbers(real), numbers(real, seed=1)
    bits, first, least = comparisons(a, limit)
    assert [bits >> k & 1 for k in range(LANES)] == (a < limit).tolist()
    assert first == (a < limit).argmax()
    assert least == a.min()


@compiled
def powers(t, out):
    store(out, 0, exp2(load(t, 0)))


@pytest.mark.parametrize(("real", "least"), [(np.float32, -126), (np.float64, -1022)])
def test_powers_of_2_down_to_the_least(real, least):
    for seed in range(20):
        t = np.random.default_rng(seed).uniform(least, 0, LANES).astype(real)
        t[:3] = 0, least, 10 * least
        out = np.zeros(LANES, real)
        powers(t, out)
        np.testing.assert_allclose(
            out, np.exp2(np.maximum(t, least).astype(float)), rtol=2.5e-7 if real == np.float32 else 4e-16
        )


@compiled
def widened(a, one, out):
    store(out, 0, cast(load(a, 0), one))


def test_float32_widens_and_float64_narrows():
    a, out = numbers(np.float32), np.zeros(LANES)
    widened(a, 1.0, out)
    np.testing.assert_array_equal(out, a.astype(float))
    back = np.zeros(LANES, np.float32)
    widened(out, np.float32(1), back)
    np.testing.assert_array_equal(back, a)


@compiled
def all_sums(canvas, size, rows, columns, stride, out, line, row_ends, start, ends, inside):
    for i in range(rows):
        sum_rows(line, canvas, 0, i, size, stride, stride, row_ends, start)
        sum_to_ends(ends, line, 0, size, columns, inside)
        begun = load(line, 0) - load(line, 0)
        for j in range(columns):
            begun = (begun + load(line, (j + size - 1) * LANES)) * inside[j]
            store(out[i], j * LANES, load(ends, j * LANES) + begun)


@pytest.mark.parametrize("size", [1, 3, 5, 7, 9, 11])
def test_window_sums_are_those_of_every_window(size):
    height, width = 13, 12
    image = numbers(np.float64, height * width * LANES, seed=size).reshape(height, width, LANES)
    rows, columns = height - size + 1, width - size + 1
    out, stride = np.zeros((rows, columns * LANES)), width * LANES
    work = np.zeros(stride), np.zeros(size * stride), np.zeros(stride), np.zeros(columns * LANES)
    inside = (np.arange(columns + 1) % size != 0).astype(float)
    all_sums(image.reshape(-1), size, rows, columns, stride, out, *work, inside)
    windows = np.lib.stride_tricks.sliding_window_view(image, (size, size), (0, 1)).sum((-1, -2))
    np.testing.assert_allclose(out.reshape(rows, columns, LANES), windows, rtol=1e-9, atol=1e-12)


@compiled
def three(a, step, out):
    store(out, 0, add_up(a, 1, step, 3))


def test_a_sum_of_a_few():
    a, out = numbers(np.float64, 4 * LANES), np.zeros(LANES)
    three(a, LANES, out)
    np.testing.assert_allclose(out, a[1 : 3 * LANES + 1].reshape(3, LANES).sum(0), rtol=1e-15)


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_an_empty_array_begins_at_a_cache_line(real):
    for count in (1, 7, 1000):
        array = empty(count, real)
        assert array.shape == (count,)
        assert array.dtype == real
        assert array.ctypes.data % CACHE_LINE == 0


def test_an_edit_of_any_file_makes_all_compiled_kernels_old_and_a_copy_does_not(tmp_path):
    from edudiff.fast import blocks, jit, weights

    assert len(jit.FILES) > 5
    copies = [Path(shutil.copyfile(file, tmp_path / file.name)) for file in jit.FILES]  # written now
    assert jit.stamp(copies) == jit.STAMP
    for copy in copies:
        before = copy.read_bytes()
        copy.write_bytes(before.swapcase())  # of the same length
        assert jit.stamp(copies) != jit.STAMP
        copy.write_bytes(before)
    for function in (weights.lower, weights.tighten, blocks.add_windows):
        assert function._cache._cache_file._source_stamp == jit.STAMP
