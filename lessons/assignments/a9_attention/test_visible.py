"""Tests of assignment 9 that the student has."""

import numpy as np
import pytest

from edudiff.course.answers import agree


def arrays(*shapes, seed=0):
    """Random arrays of these shapes."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


def slopes(function, *inputs, step=1e-5):
    """The gradient of a number in each entry of each input, by central differences."""
    gradients = []
    for place, x in enumerate(inputs):
        gradient = np.empty_like(x)
        for i in np.ndindex(x.shape):
            ends = []
            for move in (step, -step):
                moved = x.copy()
                moved[i] += move
                ends.append(function(*inputs[:place], moved, *inputs[place + 1 :]))
            gradient[i] = (ends[0] - ends[1]) / (2 * step)
        gradients.append(gradient)
    return tuple(gradients)


def softmax(logits):
    """Along the last axis, for small logits."""
    p = np.exp(logits)
    return p / p.sum(axis=-1, keepdims=True)


@pytest.mark.weights
def test_known_weights(student):
    """d = 4, one query (2, 0, 0, 0), keys with first entry log 1, log 2, log 5: weights 1/8, 2/8, 5/8."""
    q, k = np.array([[2.0, 0.0, 0.0, 0.0]]), np.zeros((3, 4))
    k[:, 0] = np.log([1.0, 2.0, 5.0])
    agree(student.weights(q, k), np.array([[1.0, 2.0, 5.0]]) / 8)


@pytest.mark.weights
def test_each_row_adds_up_to_one(student):
    """As many queries as keys; logits of several thousands in two rows."""
    q, k = arrays((3, 3), (3, 3))
    q[0], q[1] = 3000 * q[0], -3000 * q[1]
    agree(student.weights(q, k).sum(axis=1), np.ones(3), what="the sum of each row")


@pytest.mark.weights
def test_weights_of_other_shapes_and_in_single_precision(student):
    """More keys than queries, d = 3: softmax(q k^T / sqrt 3). float32 stays float32."""
    q, k = arrays((2, 3), (5, 3), seed=3)
    expected = softmax(q @ k.T / 3**0.5)
    agree(student.weights(q, k), expected)
    single = student.weights(q.astype("float32"), k.astype("float32"))
    agree(single, expected.astype("float32"), 1e-5, "the weights in float32")


@pytest.mark.softmax_backward
def test_slope_of_a_softmax(student):
    """Against differences, with as many rows as columns."""
    logits, dp = arrays((3, 3), (3, 3))
    expected = slopes(lambda logits: np.sum(dp * softmax(logits)), logits)[0]
    agree(student.softmax_backward(dp, softmax(logits)), expected, 1e-8)


@pytest.mark.softmax_backward
def test_each_gradient_adds_up_to_zero(student):
    """Adding a constant to a row of logits changes nothing."""
    logits, dp = arrays((4, 6), (4, 6), seed=1)
    agree(student.softmax_backward(dp, softmax(logits)).sum(axis=1), np.zeros(4), what="the sum of each row")


@pytest.mark.softmax_backward
def test_softmax_backward_in_single_precision(student):
    """Weights (1/4, 3/4): the gradient is 3/16 of the difference, up and down. float32 stays float32."""
    dp, p = np.array([[8.0, 24.0], [4.0, -4.0]]), np.array([[0.25, 0.75], [0.25, 0.75]])
    expected = np.array([[-3.0, 3.0], [1.5, -1.5]])
    agree(student.softmax_backward(dp, p), expected)
    single = student.softmax_backward(dp.astype("float32"), p.astype("float32"))
    agree(single, expected.astype("float32"), 1e-5, "the gradient in float32")


@pytest.mark.attention_backward
def test_slopes_of_attention(student):
    """dq, dk, dv against differences, for shapes that differ and for shapes that do not."""
    for t, s, d, e in ((3, 3, 3, 3), (2, 3, 4, 5)):
        q, k, v, dout = arrays((t, d), (s, d), (s, e), (t, e), seed=2)

        def loss(q, k, v, d=d, dout=dout):
            return np.sum(dout * (softmax(q @ k.T / d**0.5) @ v))

        agree(student.attention_backward(dout, q, k, v), slopes(loss, q, k, v), 1e-8, "(dq, dk, dv)")


@pytest.mark.attention_backward
def test_attention_of_one_key_and_in_single_precision(student):
    """With one key all listen to it: dq and dk are 0, and dv is the sum of dout. float32 stays float32."""
    dout, q, k, v = arrays((3, 2), (3, 4), (1, 4), (1, 2), seed=4)
    expected = np.zeros((3, 4)), np.zeros((1, 4)), dout.sum(axis=0, keepdims=True)
    agree(student.attention_backward(dout, 1000 * q, 1000 * k, v), expected, 1e-8, "(dq, dk, dv)")
    single = student.attention_backward(*(a.astype("float32") for a in (dout, q, k, v)))
    agree(single, tuple(a.astype("float32") for a in expected), 1e-4, "(dq, dk, dv) in float32")
