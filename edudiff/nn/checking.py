"""What is measured of a network: whether its gradients are right, and how far it sees.

Is a backward pass right? Two slopes are compared, whatever the shapes: one by backprop, one by differences.
"""

import inspect
from typing import Any

import numpy as np

from edudiff.nn.net import ConvolutionalNet

TOLERANCE = 1e-6
STEPS = (1e-5, 1e-6)  # the smaller one where a corner, as of relu or max, lies within the larger
JIGGLE = 0.1
TRIALS = 4
ROUNDING = 1e-4  # slopes below this part of the sum's terms are too small to be told from the terms' rounding


def check_gradients(what: Any, *inputs: Any, seed: int = 0, tolerance: float = TOLERANCE) -> float:
    """Check a layer or a network of yours by random directions, in float64; returns the largest relative error.

    A layer is two functions, forward and backward, and what forward is called with:

        check_gradients(layers.conv, layers.conv_backward, x, w, b, "zero")

    `forward(*inputs) -> (out, cache)`, and `backward(dout, cache)` gives one gradient for each input that is an array
    of floats, in order. A network has `parameters`, a dict of arrays, `forward(*inputs) -> (out, cache)`,
    `backward(dout, cache) -> {name: gradient}` and `with_parameters(parameters)`:

        check_gradients(net, x, alpha, sigma)
        check_gradients(net)                      # on a small random batch, for the networks of this package

    For each array a, the derivative of <dout, out> along a random direction d is measured by differences, and must be
    <gradient, d>. A network's parameters are first moved a little: what starts at zero would hide all behind it.
    `seed`: of the random directions. Raises ValueError that names the parameter and shows both slopes.
    """
    rng = np.random.default_rng(seed)
    if hasattr(what, "parameters"):
        return _check_net(what, inputs, rng, tolerance)
    if not callable(what) or not inputs or not callable(inputs[0]):
        raise TypeError("pass a network, or a layer's two functions: check_gradients(forward, backward, x, w, ...)")
    return _check_layer(what, *inputs, rng=rng, tolerance=tolerance)


def receptive_field(net: ConvolutionalNet, size: int = 33) -> int:
    """Side of the smallest square with all pixels on which the middle pixel of a `size` x `size` image depends.

    Measured: the gradient of the middle pixel of x0_hat in all pixels of x, by backprop. A gradient is zero where it
    must be, and elsewhere only by accident; so all parameters are replaced by small positive ones, and TRIALS random
    positive images are tried (of each tile, a max pooling passes one pixel at a time). An answer of `size` may be
    cut off by the image: ask again with a larger one. `net`: a network for images.
    """
    rng = np.random.default_rng(0)
    parameters = {}
    for name, value in net.parameters.items():
        fan_in = max(1, value.size // value.shape[-1])
        parameters[name] = rng.uniform(0.5, 1.5, value.shape) / fan_in
    positive = net.with_parameters(parameters)
    positive.backend = "numpy"  # the definition: it multiplies nothing outside a window, so its zeros are exact
    seen = np.zeros((size, size), bool)
    for _ in range(TRIALS):
        x = rng.uniform(0.5, 1.5, (1, size, size, net.config.image_channels))  # (1, S, S, C)
        x0_hat, cache = positive.forward(x, 0.5, 0.5)
        dout = np.zeros_like(x0_hat)
        dout[0, size // 2, size // 2] = 1
        seen |= (positive.input_gradient(dout, cache)[0] != 0).any(axis=2)  # (S, S)
    rows, cols = np.nonzero(seen)
    return int(max(np.ptp(rows), np.ptp(cols))) + 1


def _check_layer(forward, backward, *inputs, rng, tolerance):
    inputs = tuple(_in_float64(value) for value in inputs)
    moving = [i for i, value in enumerate(inputs) if _is_floats(value)]
    out, cache = forward(*inputs)
    dout = rng.standard_normal(out.shape)
    gradients = backward(dout, cache)
    gradients = gradients if isinstance(gradients, tuple | list) else (gradients,)
    if len(gradients) != len(moving):
        raise ValueError(f"backward returned {len(gradients)} gradients, expected {len(moving)}: one for each array")
    errors = [0.0]
    for i, gradient in zip(moving, gradients, strict=True):

        def moved(step, i=i):
            return forward(*inputs[:i], inputs[i] + step, *inputs[i + 1 :])[0]

        errors.append(_check(moved, dout, gradient, inputs[i], _name(forward, i), rng, tolerance))
    return max(errors)


def _check_net(net, inputs, rng, tolerance):
    inputs = tuple(_in_float64(value) for value in inputs or net.example(rng))
    parameters = {n: v.astype("float64") + JIGGLE * rng.standard_normal(v.shape) for n, v in net.parameters.items()}
    net = net.with_parameters(parameters)
    out, cache = net.forward(*inputs)
    dout = rng.standard_normal(out.shape)
    gradients = net.backward(dout, cache)
    if set(gradients) != set(parameters):
        odd = sorted(set(gradients) ^ set(parameters))
        raise ValueError(f"backward and the parameters do not have the same names; in one of them only: {odd}")
    errors = [0.0]
    for name, value in parameters.items():

        def moved(step, name=name, value=value):
            return net.with_parameters({**parameters, name: value + step}).forward(*inputs)[0]

        errors.append(_check(moved, dout, gradients[name], value, name, rng, tolerance))
    return max(errors)


def _check(moved, dout, gradient, value, name, rng, tolerance):
    """The relative error of one gradient. `moved(step)`: the output with `step` added to the array `value`."""
    if np.shape(gradient) != value.shape:
        raise ValueError(f"the gradient in {name} has shape {np.shape(gradient)}, expected {value.shape}")
    direction = rng.standard_normal(value.shape)
    slope = float(np.sum(gradient * direction))
    smallest = ROUNDING * float(np.sum(np.abs(dout * moved(0 * direction))))

    def error(step):
        """Of the fourth-order central difference."""
        sides = {k: float(np.sum(dout * moved(k * step * direction))) for k in (-2, -1, 1, 2)}
        measured = (8 * (sides[1] - sides[-1]) - (sides[2] - sides[-2])) / (12 * step)
        return abs(measured - slope) / max(abs(measured), abs(slope), smallest, 1e-30), measured

    best, measured = error(STEPS[0])
    if not best < tolerance:
        best, measured = min((best, measured), error(STEPS[1]))
    if not best < tolerance:  # NaN is no success
        raise ValueError(
            f"the gradient in {name} is wrong: along a random direction, backward says {slope:.10g}, differences say"
            f" {measured:.10g} (relative error {best:.1e}, expected below {tolerance:.0e})"
        )
    return best


def _is_floats(value):
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _in_float64(value):
    return value.astype("float64") if _is_floats(value) else value


def _name(forward, i):
    """What `forward` calls its input `i`."""
    names = list(inspect.signature(forward).parameters.values())
    plain = [p.name for p in names if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return repr(plain[i]) if i < len(plain) else f"input {i}"
