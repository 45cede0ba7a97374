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


@pytest.mark.softmax
def test_one_row_alone_and_in_single_precision(student):
    """A row without a batch, with logits from -900 to 900; equal logits share; float32 stays float32."""
    agree(student.softmax(np.array([0.0, 900.0, -900.0])), np.array([0.0, 1.0, 0.0]))
    logits = np.array([[3.0, 3.0, -200.0, 3.0], [-50.0, -50.0, -50.0, -50.0]], dtype="float32")
    shares = np.array([[1 / 3, 1 / 3, 0, 1 / 3], [1 / 4, 1 / 4, 1 / 4, 1 / 4]], dtype="float32")
    agree(student.softmax(logits), shares, 1e-5, "the softmax of float32")


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
    agree(student.ideal(0.9 * data[:3] + 0.1, data, 0.9, 0.001), data[:3], what="the answer for an x that is far off")


@pytest.mark.ideal
def test_pictures_that_are_as_close_as_the_noise(student):
    """Points 0 and 0.003 apart at sigma = 0.003: halfway they count alike, at the second it counts exp(1/2) times."""
    data, share = np.array([[0.0], [0.003]]), 1 / (1 + np.exp(-0.5))
    found = student.ideal(np.array([[0.0015], [0.003]]), data, 1.0, 0.003)
    agree(found / 0.003, np.array([[0.5], [share]]), 1e-5, "the share of the second picture")


@pytest.mark.ideal
def test_a_picture_that_is_there_twice_counts_twice(student):
    """Data {m, m, -m}: m tanh(alpha m.x / sigma^2 + log(2) / 2). Without signal: the mean, m / 3."""
    rng = np.random.default_rng(6)
    m, x = rng.standard_normal(3), rng.standard_normal((4, 3))
    data = np.stack([m, m, -m])
    agree(student.ideal(x, data, 0.6, 1.2), np.tanh(0.6 * x @ m / 1.2**2 + np.log(2) / 2)[:, None] * m)
    agree(student.ideal(x, data, 0.0, 1.0), np.tile(m / 3, (4, 1)), what="the answer at alpha = 0")


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
    agree(student.merge(a, nothing), a, what="a piece merged with an empty one behind it")


@pytest.mark.merge
def test_equal_tops_and_single_precision(student):
    """Pieces with the same top add as they are; float32 stays float32."""
    a = np.array([2.0, -1.0]), np.array([[1.0], [0.5]]), np.array([1.0, 2.0])
    b = np.array([2.0, -1.0]), np.array([[0.25], [4.0]]), np.array([1.5, 1.0])
    whole = np.array([2.0, -1.0]), np.array([[1.25], [4.5]]), np.array([2.5, 3.0])
    agree(student.merge(a, b), whole, what="(top, num, den)")
    a, b, whole = (tuple(part.astype("float32") for part in piece) for piece in (a, b, whole))
    agree(student.merge(a, b), whole, 1e-5, "(top, num, den) of float32")
