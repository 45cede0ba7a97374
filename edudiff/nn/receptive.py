"""How far a network sees: the support of the Jacobian of its answer, measured."""

import numpy as np

TRIALS = 4


def receptive_field(net, size=33):
    """Side of the smallest square with all pixels on which the middle pixel of a `size` x `size` picture depends.

    Measured: the gradient of the middle pixel of x0_hat in all pixels of x, by backprop. A gradient is zero where it
    must be, and elsewhere only by accident; so all parameters are replaced by small positive ones, and TRIALS random
    positive pictures are tried (of each tile, a max pooling passes one pixel at a time). An answer of `size` may be
    cut off by the picture: ask again with a larger one. `net`: a network for pictures.
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
        x = rng.uniform(0.5, 1.5, (1, size, size, net.config["image_channels"]))  # (1, S, S, C)
        x0_hat, cache = positive.forward(x, 0.5, 0.5)
        dout = np.zeros_like(x0_hat)
        dout[0, size // 2, size // 2] = 1
        seen |= (positive.input_gradient(dout, cache)[0] != 0).any(axis=2)  # (S, S)
    rows, cols = np.nonzero(seen)
    return int(max(np.ptp(rows), np.ptp(cols))) + 1
