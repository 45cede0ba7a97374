"""The running softmax mean: chunks in any order and of any size, float32 or float64, and what may be left out."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edudiff.support.softmax import NEGLIGIBLE, Softmax, merge


def whole(logits, values):
    """(top, num, den, squares, fall) by the definition: logits (B, n), values (n, C)."""
    top = logits.max(1)
    weights = np.exp(logits - top[:, None])
    falls = np.where(weights > 0, weights * np.where(weights > 0, logits - top[:, None], 0), 0)
    return top, weights @ values, weights.sum(1), weights @ (values**2).sum(1), falls.sum(1)


def in_pieces(logits, values, cuts, start=0):
    total = Softmax(np, (len(logits),), values.shape[1], len(values), moments=True)
    for first, last in zip([start, *cuts], [*cuts, len(values)], strict=True):
        if first < last:
            total.add(logits[:, first:last], values[first:last])
    return total.top, total.num, total.den, *total.moments


@settings(max_examples=30)
@given(seed=st.integers(0, 2**16), cuts=st.lists(st.integers(1, 19), max_size=4).map(sorted), spread=st.floats(0, 12))
def test_any_pieces_give_the_sums_of_the_definition(seed, cuts, spread):
    rng = np.random.default_rng(seed)
    logits, values = spread * rng.standard_normal((3, 20)) - 700, rng.standard_normal((20, 2))
    logits[0, :5] = -math.inf
    for found, wanted in zip(in_pieces(logits, values, cuts), whole(logits, values), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-6)


@given(seed=st.integers(0, 2**16), cut=st.integers(0, 20))
def test_shares_merge_into_the_whole_even_if_one_is_empty(seed, cut):
    rng = np.random.default_rng(seed)
    logits, values = 3 * rng.standard_normal((3, 20)), rng.standard_normal((20, 2))
    shares = (
        [in_pieces(logits[:, :cut], values[:cut], []), in_pieces(logits[:, cut:], values[cut:], [])]
        if 0 < cut < 20
        else [
            in_pieces(logits, values, []),
            (np.full(3, -math.inf), np.zeros((3, 2)), *np.zeros((3, 3))),
        ]
    )
    for parts in (shares, shares[::-1], [share[:3] for share in shares]):
        for found, wanted in zip(merge(parts), whole(logits, values), strict=False):
            np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-7)


def test_logits_of_float32_lose_no_more_than_their_own_digits():
    """The top is far from 0, where float32 is coarse: it is rounded once, and taken back exactly."""
    rng = np.random.default_rng(0)
    logits, values = (5 * rng.standard_normal((4, 30)) - 1000.03).astype("f4"), rng.standard_normal((30, 2))
    first = Softmax(np, (4,), 2, 31, moments=True)
    first.add(np.full((4, 1), -999.98765432), np.ones((1, 2)))  # a top that float32 does not hold
    first.add(logits, values.astype("f4"))
    every = np.concatenate([np.full((4, 1), -999.98765432), logits.astype("f8")], axis=1)
    wanted = whole(every, np.concatenate([np.ones((1, 2)), values]))
    for found, known in zip((first.top, first.num, first.den, *first.moments), wanted, strict=True):
        np.testing.assert_allclose(found, known, rtol=1e-5)


@pytest.mark.parametrize(("beyond", "counted"), [(0.01, True), (-0.01, False)])
def test_what_is_left_out_weighs_less_than_a_hundred_millionth_all_together(beyond, counted):
    count = 1000
    faint = math.log(NEGLIGIBLE / count) + beyond
    total = Softmax(np, (1,), 1, count)
    total.add(np.zeros((1, 1)), np.zeros((1, 1)))
    total.add(np.full((1, count - 1), faint), np.ones((count - 1, 1)))
    assert total.den[0] - 1 == pytest.approx((count - 1) * math.exp(faint) if counted else 0, rel=1e-6, abs=1e-30)
    assert NEGLIGIBLE == 1e-8


def test_values_of_each_pixel_and_only_some_pixels():
    rng = np.random.default_rng(0)
    logits, values = rng.standard_normal((2, 3, 4, 6)), rng.standard_normal((3, 4, 6, 2))
    total = Softmax(np, (2, 5, 4), 2, 6, moments=True)
    total.add(logits, values, (slice(None), slice(1, 4), slice(None)))
    with np.errstate(invalid="ignore"):  # 0 / 0 where nothing came
        mean = total.mean()
    for place in np.ndindex(2, 3, 4):
        wanted = whole(logits[place][None], values[place[1:]])
        at = (place[0], place[1] + 1, place[2])
        for found, known in zip((total.top, total.num, total.den, *total.moments), wanted, strict=True):
            np.testing.assert_allclose(found[at], known[0], rtol=1e-9)
        np.testing.assert_allclose(mean[at], wanted[1][0] / wanted[2][0], rtol=1e-9)
    assert (total.den[:, [0, 4]] == 0).all() and (total.top[:, [0, 4]] == -math.inf).all()


def test_shares_of_other_batches_do_not_merge():
    one, other = (np.zeros(2), np.zeros((2, 1)), np.ones(2)), (np.zeros(3), np.zeros((3, 1)), np.ones(3))
    with pytest.raises(ValueError, match="no parts"):
        merge([])
    with pytest.raises(ValueError, match="same noisy batch"):
        merge([one, other])
