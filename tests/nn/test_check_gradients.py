"""The gradient check itself: it passes what is right, and names what is wrong."""

import numpy as np
import pytest
from layer_modules import normal

from edudiff import nn
from edudiff.nn import check_gradients, layers


def bend(x, w, power):
    """A learner's own layer: x**power * w."""
    return x**power * w, (x, w, power)


def bend_backward(dout, cache):
    x, w, power = cache
    return dout * power * x ** (power - 1) * w, (dout * x**power).sum(axis=0)


def test_right_gradients_pass_with_their_error():
    assert 0 < check_gradients(bend, bend_backward, normal(4, 3), normal(3), 3) < 1e-6


class Moved:
    """A network of one parameter, the sum of its squares, which notes what is asked of it."""

    def __init__(self, parameters, seen):
        self.parameters, self.seen = parameters, seen
        seen.append(parameters["w"])

    def with_parameters(self, parameters):
        return Moved(parameters, self.seen)

    def forward(self, x):
        return (self.parameters["w"] ** 2).sum(keepdims=True) * x, x

    def backward(self, dout, cache):
        return {"w": 2 * (dout * cache).sum() * self.parameters["w"]}


def test_the_parameters_of_a_network_are_moved_by_about_a_tenth():
    seen = []
    check_gradients(Moved({"w": np.ones(4000)}, seen), np.ones(1))
    moves = seen[1] - 1
    assert moves.std() == pytest.approx(0.1, rel=0.1)
    assert abs(moves).max() < 0.6
    assert abs(moves.mean()) < 0.01


def test_inputs_in_float32_are_checked_in_float64():
    assert check_gradients(bend, bend_backward, normal(4, 3, dtype=np.float32), normal(3, dtype=np.float32), 2) < 1e-6


@pytest.mark.parametrize(
    ("wrong", "message"),
    (
        (lambda dx, dw: (-dx, dw), "gradient in 'x' is wrong"),
        (lambda dx, dw: (dx, dw * (1 + 3e-6)), "gradient in 'w' is wrong"),
        (lambda dx, dw: (dx, dw + np.nan), "gradient in 'w' is wrong"),
        (lambda dx, dw: (dx, dw[None]), r"gradient in 'w' has shape \(1, 3\), expected \(3,\)"),
        (lambda dx, dw: dx, "backward returned 1 gradients, expected 2"),
    ),
)
def test_wrong_gradient_is_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        check_gradients(bend, lambda dout, cache: wrong(*bend_backward(dout, cache)), normal(4, 3), normal(3), 2)


def test_one_wrong_entry_of_many_is_found():
    def backward(dout, cache):
        dx, dw = bend_backward(dout, cache)
        dx[17, 2] *= 1.01
        return dx, dw

    with pytest.raises(ValueError, match="'x'"):
        check_gradients(bend, backward, normal(40, 3), normal(3), 2)


def test_a_corner_within_a_step_is_no_error():
    x = normal(4, 5)
    x[0, 0] = 4e-6
    assert check_gradients(layers.relu, layers.relu_backward, x) < 1e-6


def test_corners_beyond_the_smaller_step_are_no_error():
    x = np.where(np.arange(40).reshape(8, 5) % 2, 1, -1) * 6e-6  # within the larger step along most directions
    assert check_gradients(lambda x: layers.relu(x + 0), layers.relu_backward, x) < 1e-6


def test_the_rounding_of_a_large_output_is_no_error():
    """x / x is 1, and its gradient 0, but for rounding; a gradient that is wrong by more is found."""
    x = 1 + normal(3) ** 2
    forward = lambda x: (1e6 * (x / x) * (1 + 0 * x), x)  # noqa: E731
    assert check_gradients(forward, lambda dout, x: 0 * dout, x) < 1e-6
    with pytest.raises(ValueError, match="is wrong"):
        check_gradients(forward, lambda dout, x: 1e4 * dout, x)


def test_wrong_parameter_of_a_network_is_named():
    class Wrong(nn.ResNet):
        def backward(self, dout, cache):
            gradients = super().backward(dout, cache)
            return {**gradients, "block0.cond.w": 1.001 * gradients["block0.cond.w"]}

    with pytest.raises(ValueError, match=r"gradient in block0\.cond\.w is wrong.*backward says.*differences say"):
        check_gradients(Wrong(4, 1, embedding_size=4))


def test_forgotten_parameter_of_a_network_is_named():
    class Forgetful(nn.Linear):
        def backward(self, dout, cache):
            return {"w": super().backward(dout, cache)["w"]}

    with pytest.raises(ValueError, match=r"same names.*\['b'\]"):
        check_gradients(Forgetful(2))


def test_network_of_a_learner_is_checked_on_the_inputs_given():
    class Line:
        """Not of this package: parameters, forward, backward, with_parameters, and no more."""

        def __init__(self):
            self.parameters = {"a": np.ones(3), "b": np.zeros(3)}

        def with_parameters(self, parameters):
            other = Line()
            other.parameters = parameters
            return other

        def forward(self, x):
            return self.parameters["a"] * x + self.parameters["b"], x

        def backward(self, dout, x):
            return {"a": (dout * x).sum(axis=0), "b": dout.sum(axis=0)}

    assert check_gradients(Line(), normal(4, 3)) < 1e-6


def test_network_is_left_as_it_was():
    net = nn.ResNet(4, 1, embedding_size=4)
    before = {name: value.copy() for name, value in net.parameters.items()}
    check_gradients(net)
    for name, value in before.items():
        np.testing.assert_array_equal(net.parameters[name], value)


def test_a_call_with_something_else_is_named():
    with pytest.raises(TypeError, match="a layer's two functions"):
        check_gradients(layers.relu, normal(2, 3))


@pytest.mark.parametrize("net", [nn.ResNet(4, 1), nn.UNet((2, 2), 1)])
def test_an_example_has_one_side_even_and_one_odd(net):
    x, alpha, sigma = net.example(np.random.default_rng(0))
    assert sorted(side % 2 for side in x.shape[1:3]) == [0, 1]
    assert alpha.shape == sigma.shape == (len(x),)
