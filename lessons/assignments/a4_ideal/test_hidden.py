"""Tests of assignment 4 that the grader has."""

import numpy as np
import pytest

import edudiff as ed
from edudiff.course.answers import agree


def triple(logits, values):
    """(top, num, den) of one piece of a training set: logits (B, N), values (N, D)."""
    top = logits.max(axis=1)
    weights = np.exp(logits - top[:, None])
    return top, weights @ values, weights.sum(axis=1)


@pytest.mark.softmax
def test_logits_of_every_size(student):
    """A constant added to a row changes nothing, and the sums are 1."""
    rng = np.random.default_rng(11)
    for shape in ((5,), (3, 4), (4, 4), (2, 3, 5)):
        logits = rng.standard_normal(shape)
        small = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        for size in (0.0, 700.0, -1e6):
            moved = logits + size * rng.choice([-1, 1], (*shape[:-1], 1))
            agree(student.softmax(moved), small, tolerance=1e-8, what=f"softmax of logits near {size:g}")


@pytest.mark.softmax
def test_wide_rows(student):
    """A row whose logits span more than float64 can: the largest has all the weight."""
    logits = np.array([[0.0, 900.0, -900.0], [-1e9, 0.0, 1.0]])
    e = 1 / (1 + np.exp(-1.0))
    agree(student.softmax(logits), np.array([[0.0, 1.0, 0.0], [0.0, 1 - e, e]]))


@pytest.mark.softmax
def test_single_precision_logits(student):
    """float32 in, float32 out, with rows of equal logits."""
    logits = np.random.default_rng(16).uniform(-30, 30, (3, 2, 5)).astype("float32")
    logits[1] = logits[1, :, :1]
    wide = logits.astype("float64")
    expected = np.exp(wide - np.logaddexp.reduce(wide, axis=-1, keepdims=True))
    agree(student.softmax(logits), expected.astype("float32"), 1e-4)


@pytest.mark.ideal
def test_equals_the_package(student):
    """edudiff.denoisers.Ideal, over many noise levels."""
    rng = np.random.default_rng(12)
    for count, width in ((1, 3), (8, 8), (30, 5)):
        data, x = rng.uniform(-1, 1, (count, width)), rng.standard_normal((4, width))
        for alpha, sigma in ((1.0, 1e-4), (0.9, 0.4), (0.3, 1.0), (0.0, 1.0)):
            expected = ed.denoisers.Ideal(data)(x, alpha, sigma)
            agree(student.ideal(x, data, alpha, sigma), expected, what=f"at {alpha = }, {sigma = }")


@pytest.mark.ideal
def test_single_precision(student):
    """float32, where squares are so large that one unit of their last digit exceeds every difference there is."""
    rng = np.random.default_rng(13)
    data = (40 + 0.004 * rng.standard_normal((8, 200))).astype("float32")
    x = (data[2:] + 0.003 * rng.standard_normal((6, 200))).astype("float32")
    logits = -((x.astype("float64")[:, None] - data.astype("float64")) ** 2).sum(axis=-1) / (2 * 0.003**2)
    expected = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)) @ data.astype("float64")
    agree(student.ideal(x, data, 1.0, 0.003), expected.astype("float32"), tolerance=1e-5)


@pytest.mark.ideal
def test_any_scale(student):
    """Pictures, x and sigma c times as large: the answer is c times as large."""
    rng = np.random.default_rng(17)
    data, x = rng.uniform(-1, 1, (6, 3)), rng.uniform(-1, 1, (4, 3))
    data[4] = data[2]
    for alpha, sigma in ((1.0, 1.0), (0.7, 0.4)):
        expected = ed.denoisers.Ideal(data)(x, alpha, sigma)
        for c in (3.0, 0.003, 2e-4):
            agree(student.ideal(c * x, c * data, alpha, c * sigma) / c, expected, 1e-4, f"the answer over {c:g}")


@pytest.mark.merge
def test_any_cut_in_any_order(student):
    """Three pieces, merged from either end, give the softmax mean of all."""
    rng = np.random.default_rng(14)
    for spread in (1.0, 50.0, 900.0):
        logits, values = spread * rng.standard_normal((5, 9)), rng.standard_normal((9, 3))
        pieces = [triple(logits[:, cut], values[cut]) for cut in (slice(0, 1), slice(1, 5), slice(5, 9))]
        left = student.merge(student.merge(pieces[0], pieces[1]), pieces[2])
        right = student.merge(pieces[2], student.merge(pieces[1], pieces[0]))
        _, num, den = triple(logits, values)
        for top, n, d in (left, right):
            agree(top, logits.max(axis=1), what="top")
            agree(n / d[:, None], num / den[:, None], what="num / den")
            agree(d, den, what="den")


@pytest.mark.merge
def test_merges_with_the_package(student):
    """The parts that edudiff.denoisers.Ideal hands out."""
    rng = np.random.default_rng(15)
    data, x = rng.uniform(-1, 1, (10, 4)), rng.standard_normal((3, 4))
    a, b = (ed.denoisers.Ideal(part).partial(x, 0.7, 0.3) for part in (data[:3], data[3:]))
    _, num, den = student.merge(a, b)
    agree(num / den[:, None], ed.denoisers.Ideal(data)(x, 0.7, 0.3), what="num / den")


@pytest.mark.merge
def test_tops_that_tie_and_pieces_that_are_empty(student):
    """Equal tops, a piece with no picture for some rows only, in both orders and precisions."""
    rng = np.random.default_rng(18)
    for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-5)):
        logits, values = rng.uniform(-5, 0, (4, 6)), rng.standard_normal((6, 2))
        logits[0, [1, 4]] = 0.5
        logits[1, :3] = -np.inf
        logits[2, 3:] = -np.inf
        top, num, den = triple(logits, values)
        pieces = []
        for cut in (slice(0, 3), slice(3, 6)):
            part = logits[:, cut].max(axis=1)
            weights = np.where(np.isinf(part)[:, None], 0.0, np.exp(logits[:, cut] - np.maximum(part, -1e3)[:, None]))
            pieces.append(tuple(a.astype(dtype) for a in (part, weights @ values[cut], weights.sum(axis=1))))
        whole = tuple(a.astype(dtype) for a in (top, num, den))
        agree(student.merge(pieces[0], pieces[1]), whole, tolerance, f"(top, num, den), {dtype},")
        agree(student.merge(pieces[1], pieces[0]), whole, tolerance, f"(top, num, den), {dtype}, turned,")
