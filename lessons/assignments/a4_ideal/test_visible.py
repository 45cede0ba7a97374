"""Tests of assignment 4 that the student has."""

import numpy as np
import pytest

from edudiff.course.answers import agree


def triple(logits, values):
    """(top, num, den) of one piece of a training set: logits (B, N), values (N, D)."""
    top = logits.max(axis=1)
    weights = np.exp(logits - top[:, None])
    return top, weights @ values, weights.sum(axis=1)


@pytest.mark.softmax
def test_weights_of_a_known_row(student):
    """Logits log 1, log 2, log 5 have the weights 1/8, 2/8, 5/8."""
    agree(student.softmax(np.log([[1.0, 2.0, 5.0], [3.0, 3.0, 2.0]])), np.array([[1, 2, 5], [3, 3, 2]]) / 8)


@pytest.mark.softmax
def test_rows_far_apart_do_not_disturb_each_other(student):
    """One row of logits near -2000, one near +2000, one with minus infinity."""
    logits = np.array([[-2000.0, -2001.0, -2003.0], [2000.0, 1999.0, 1997.0], [5.0, 4.0, -np.inf]])
    e = np.exp([0.0, -1.0, -3.0])
    agree(student.softmax(logits), np.stack([e / e.sum(), e / e.sum(), [1 / (1 + e[1]), e[1] / (1 + e[1]), 0]]))


@pytest.mark.softmax
def test_last_axis_of_a_stack(student):
    """Every row of a (2, 3, 4) stack adds up to 1."""
    logits = np.random.default_rng(0).standard_normal((2, 3, 4))
    agree(student.softmax(logits).sum(axis=-1), np.ones((2, 3)), what="the sum of each row")


@pytest.mark.ideal
def test_two_points_make_a_hyperbolic_tangent(student):
    """Data {m, -m}: the answer is m tanh(alpha m.x / sigma^2)."""
    rng = np.random.default_rng(1)
    m, x = rng.standard_normal(3), rng.standard_normal((5, 3))
    for alpha, sigma in ((0.8, 0.6), (0.4, 1.7)):
        answer = np.tanh(alpha * x @ m / sigma**2)[:, None] * m
        agree(student.ideal(x, np.stack([m, -m]), alpha, sigma), answer, what=f"at {alpha = }, {sigma = }")


@pytest.mark.ideal
def test_little_noise_finds_the_picture(student):
    """With sigma = 0.001 the answer is the training picture that made x, and not NaN."""
    data = np.random.default_rng(2).standard_normal((6, 4))
    agree(student.ideal(0.9 * data[:3] + 0.001, data, 0.9, 0.001), data[:3])


@pytest.mark.ideal
def test_single_precision_at_small_noise(student):
    """float32 pictures whose squares are large and whose differences are small; float32 comes back."""
    rng = np.random.default_rng(4)
    data = (30 + 0.004 * rng.standard_normal((6, 200))).astype("float32")
    x = (data + 0.003 * rng.standard_normal((6, 200))).astype("float32")
    agree(student.ideal(x, data, 1.0, 0.003), data, tolerance=1e-5)


@pytest.mark.merge
def test_two_halves_are_the_whole(student):
    """Merging two pieces is the same as taking them at once."""
    rng = np.random.default_rng(3)
    logits, values = 3 * rng.standard_normal((4, 7)), rng.standard_normal((7, 2))
    a, b = triple(logits[:, :2], values[:2]), triple(logits[:, 2:], values[2:])
    agree(student.merge(a, b), triple(logits, values), what="(top, num, den)")


@pytest.mark.merge
def test_far_away_pieces(student):
    """One piece a thousand above or below the other, or empty."""
    values = np.array([[1.0, 2.0], [3.0, 5.0], [4.0, 4.0]])
    logits = np.array([[0.0, -1.0, 1000.0], [1000.0, 999.0, -2.0]])
    a, b = triple(logits[:, :2], values[:2]), triple(logits[:, 2:], values[2:])
    agree(student.merge(a, b), triple(logits, values), what="(top, num, den)")
    nothing = np.full(2, -np.inf), np.zeros((2, 2)), np.zeros(2)
    agree(student.merge(nothing, a), a, what="a piece merged with an empty one")
