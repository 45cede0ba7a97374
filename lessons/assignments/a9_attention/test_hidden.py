"""Tests of assignment 9 that the grader has."""

import numpy as np
import pytest

from edudiff.course.answers import agree

SHAPES = ((1, 4, 2, 3), (5, 2, 3, 1), (4, 4, 4, 4), (3, 7, 9, 2))  # T, S, d, e


def softmax(logits):
    """Along the last axis."""
    p = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def derivative(function, step=1e-4):
    """The slope at 0, by a difference of fourth order."""
    near, far = ((function(s) - function(-s)) / (2 * s) for s in (step, 2 * step))
    return (4 * near - far) / 3


@pytest.mark.weights
def test_weights_of_all_sizes(student):
    """Many shapes, and logits from tiny to huge."""
    rng = np.random.default_rng(91)
    for t, s, d, _ in SHAPES:
        for size in (0.1, 1.0, 100.0):
            q, k = size * rng.standard_normal((t, d)), size * rng.standard_normal((s, d))
            agree(student.weights(q, k), softmax(q @ k.T / d**0.5), 1e-8, f"weights of {t} x {s}, {d = }")
        q, k = rng.standard_normal((t, d)).astype("float32"), rng.standard_normal((s, d)).astype("float32")
        expected = softmax(q.astype("float64") @ k.T.astype("float64") / d**0.5).astype("float32")
        agree(student.weights(q, k), expected, 1e-4, f"weights of {t} x {s}, {d = }, in float32")


@pytest.mark.softmax_backward
def test_softmax_backward_is_the_product_with_the_jacobian(student):
    """p_i (delta_ij - p_j), written out for every row."""
    rng = np.random.default_rng(92)
    for t, s, _, _ in SHAPES:
        p, dp = softmax(2 * rng.standard_normal((t, s))), 10 * rng.standard_normal((t, s))
        expected = np.stack([(np.diag(row) - np.outer(row, row)) @ drow for row, drow in zip(p, dp, strict=True)])
        for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-5)):
            answer = student.softmax_backward(dp.astype(dtype), p.astype(dtype))
            agree(answer, expected.astype(dtype), tolerance, f"the gradient of {t} x {s} in {dtype}")


@pytest.mark.attention_backward
def test_attention_along_random_directions(student):
    """The slope of the loss along a random direction in each of q, k, v."""
    rng = np.random.default_rng(93)
    for t, s, d, e in SHAPES:
        inputs = [rng.standard_normal(shape) for shape in ((t, d), (s, d), (s, e))]
        dout = rng.standard_normal((t, e))
        gradients = student.attention_backward(dout, *inputs)
        single = student.attention_backward(*(a.astype("float32") for a in (dout, *inputs)))
        agree(single, tuple(g.astype("float32") for g in gradients), 1e-3, "(dq, dk, dv) in float32")
        for place, name in enumerate(("dq", "dk", "dv")):
            move = rng.standard_normal(inputs[place].shape)

            def loss(step, place=place, move=move, inputs=inputs, dout=dout, d=d):
                q, k, v = (x + step * move if i == place else x for i, x in enumerate(inputs))
                return np.sum(dout * (softmax(q @ k.T / d**0.5) @ v))

            agree(gradients[place].shape, move.shape, what=f"the shape of {name}")
            agree(np.sum(gradients[place] * move), derivative(loss), 1e-7, f"the slope along {name}")


@pytest.mark.attention_backward
def test_attention_with_large_logits(student):
    """Where every query picks one key for sure: dq and dk vanish, and dv collects dout."""
    q, k, dout = 40 * np.eye(3), 40 * np.eye(3)[:, [1, 2, 0]].T, np.random.default_rng(94).standard_normal((3, 2))
    picked = (q @ k.T > 0).astype(float)
    v = np.random.default_rng(95).standard_normal((3, 2))
    expected = np.zeros((3, 3)), np.zeros((3, 3)), picked.T @ dout
    agree(student.attention_backward(dout, q, k, v), expected, what="(dq, dk, dv)")
