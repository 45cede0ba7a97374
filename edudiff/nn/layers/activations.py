"""What bends a straight line: ReLU, SiLU, GELU, each value by itself, any shape."""

import math

from edudiff.support.arrays import array_namespace

INNER = math.sqrt(2 / math.pi)
CUBIC = 0.044715


def relu(x):
    """max(x, 0)."""
    xp = array_namespace(x)
    return xp.maximum(x, 0), x


def relu_backward(dout, x):
    """dout where x > 0, else 0."""
    return dout * (x > 0)


def silu(x):
    """x * sigmoid(x) (Elfwing et al. 2018)."""
    xp = array_namespace(x)
    sigmoid = (1 + xp.tanh(x / 2)) / 2  # the form that cannot overflow
    return x * sigmoid, (x, sigmoid)


def silu_backward(dout, cache):
    """dout * (sigmoid + x * sigmoid * (1 - sigmoid))."""
    x, sigmoid = cache
    return dout * (sigmoid + x * sigmoid * (1 - sigmoid))


def gelu(x):
    """x times about the normal law's P(X < x): x / 2 * (1 + tanh(INNER * (x + CUBIC * x**3))).

    Hendrycks & Gimpel 2016, section 2: the form with tanh, since NumPy has no error function.
    """
    xp = array_namespace(x)
    tanh = xp.tanh(INNER * (x + CUBIC * x * x * x))
    return x / 2 * (1 + tanh), (x, tanh)


def gelu_backward(dout, cache):
    """dout * ((1 + tanh) / 2 + x / 2 * (1 - tanh**2) * INNER * (1 + 3 CUBIC x**2))."""
    x, tanh = cache
    return dout * ((1 + tanh) / 2 + x / 2 * (1 - tanh * tanh) * INNER * (1 + 3 * CUBIC * x * x))
