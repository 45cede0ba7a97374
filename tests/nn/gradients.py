"""Gradient checks by random directions: two scalars are compared, whatever the shapes."""

import numpy as np

STEP = 1e-5
TOLERANCE = 1e-6


def check_layer(forward, backward, *inputs, seed=0):
    """Check `backward` of one layer: d/ds <dout, forward(inputs + s * direction)> = sum of <gradient, direction>.

    `forward(*inputs) -> (out, cache)`; `backward(dout, cache)` -> one gradient for each input. All in float64.
    """
    rng = np.random.default_rng(seed)
    out, cache = forward(*inputs)
    dout = rng.standard_normal(out.shape)
    gradients = backward(dout, cache)
    gradients = (gradients,) if isinstance(gradients, np.ndarray) else gradients
    assert len(gradients) == len(inputs)
    for i, gradient in enumerate(gradients):
        assert gradient.shape == inputs[i].shape
        direction = rng.standard_normal(inputs[i].shape)

        def along(s, i=i, direction=direction):
            moved = [x + s * direction if j == i else x for j, x in enumerate(inputs)]
            return np.sum(dout * forward(*moved)[0])

        compare(along, np.sum(gradient * direction), f"input {i}")


def check_net(net, x, alpha, sigma, step=STEP, seed=0):
    """Check every parameter's gradient of <dout, net(x)> along a random direction of that parameter alone."""
    rng = np.random.default_rng(seed)
    out, cache = net.forward(x, alpha, sigma)
    dout = rng.standard_normal(out.shape)
    gradients = net.backward(dout, cache)
    assert list(gradients) == list(net.parameters)
    for name, value in net.parameters.items():
        direction = rng.standard_normal(value.shape)

        def along(s, name=name, value=value, direction=direction):
            moved = net.with_parameters({**net.parameters, name: value + s * direction})
            return np.sum(dout * moved.forward(x, alpha, sigma)[0])

        compare(along, np.sum(gradients[name] * direction), name, step)


def compare(along, slope, name, step=STEP):
    """The fourth-order central difference of `along` at 0 against `slope`."""
    near = (along(step) - along(-step)) / (2 * step)
    far = (along(2 * step) - along(-2 * step)) / (4 * step)
    measured = (4 * near - far) / 3
    scale = max(abs(measured), abs(slope), 1e-3)
    assert abs(measured - slope) / scale < TOLERANCE, f"{name}: backward says {slope}, differences say {measured}"
