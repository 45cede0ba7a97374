"""What all trained denoisers share: a dict of parameters, and layers whose answer becomes x0_hat.

An architecture is a class with a `config`, `parameters` and two methods: `answer` runs its layers, `answer_backward`
runs them backwards.
"""

import numpy as np

from edudiff.nn import layers
from edudiff.nn.guidance import Conditional
from edudiff.nn.targets import scales
from edudiff.support import checks
from edudiff.support.arrays import array_namespace, move, to_numpy
from edudiff.support.backends import choose
from edudiff.support.checks import per_image


class Net:
    """A denoiser `net(x, alpha, sigma) -> x0_hat` with parameters to train.

    `config`: the settings, plain values, with which its class makes the same architecture again. `parameters`: a dict
    of arrays. `backend`: None, "numpy" or "numba".
    """

    def __init__(self, config, parameters, backend=None):
        self.config, self.parameters, self.backend = config, parameters, backend

    def answer(self, x, alpha, sigma, labels=None, rng=None):
        """What the layers make of the scaled batch `x`, the same shape as `x`, and the cache for `answer_backward`."""
        raise NotImplementedError(f"{type(self).__name__} has no method answer")

    def answer_backward(self, dout, cache, need_dx=False):
        """From the gradient in the answer: ({name: gradient} for every parameter, and the gradient in x or None)."""
        raise NotImplementedError(f"{type(self).__name__} has no method answer_backward")

    def check_shape(self, x):
        """Raise a ValueError that says what was expected, if the batch `x` does not fit the architecture."""

    def example(self, rng):
        """A small batch (x, alpha, sigma) that fits the architecture, for `edudiff.nn.check_gradients`."""
        raise NotImplementedError(f"{type(self).__name__} has no method example: pass x, alpha and sigma")

    def __call__(self, x, alpha, sigma):
        """x0_hat, the shape and dtype of `x`. `alpha`, `sigma`: numbers, or one for each item, (B,)."""
        x0_hat, _ = self.forward(x, alpha, sigma)
        return x0_hat.astype(x.dtype, copy=False)

    def conditional(self, label, guidance=0.0):
        """The denoiser of one class, or of one class for each item: see `edudiff.nn.guidance`."""
        return Conditional(self, label, guidance)

    def forward(self, x, alpha, sigma, labels=None, rng=None):
        """x0_hat, the shape of `x`, in the dtype of the parameters, and the cache for `backward`.

        `labels`: None, or the class of each item (B,), with `config["classes"]` for none. `rng`: None, or one random
        generator for each item, for dropout in training.
        """
        alpha, sigma = self._check(x, alpha, sigma)
        labels = self._labels(labels, x)
        each = scales(self.config["target"], alpha, sigma, self.config["sigma_data"])
        skip, out, scale = (s.reshape(-1, *[1] * (x.ndim - 1)) for s in each)  # (B, 1, ...) each
        x = x.astype(alpha.dtype, copy=False)
        answer, cache = self.answer(scale * x, alpha, sigma, labels, rng)  # (B, ...)
        return skip * x + out * answer, (skip, out, scale, cache)

    def backward(self, dout, cache):
        """Gradients of the loss in every parameter, a dict of arrays, from its gradient in x0_hat (B, ...)."""
        _, out, _, cache = cache
        gradients, _ = self.answer_backward(dout * out, cache)
        return {name: gradients[name] for name in self.parameters}

    def input_gradient(self, dout, cache):
        """Gradient of the loss in x (B, ...), from its gradient in x0_hat: 1. around the layers, 2. through them."""
        skip, out, scale, cache = cache
        _, dx = self.answer_backward(dout * out, cache, need_dx=True)
        return skip * dout + scale * dx

    @property
    def layers(self):
        """The module whose conv, silu, ... run on these parameters: `edudiff.nn.layers`, or its compiled twin."""
        if choose(self.backend, self._any_parameter()) == "numba":
            from edudiff.nn.layers import compiled

            return compiled
        return layers

    def with_parameters(self, parameters):
        """A network of the same architecture with these parameters, which are not copied."""
        other = object.__new__(type(self))
        other.__dict__ |= vars(self)
        other.parameters = dict(parameters)
        return other

    def to(self, like):
        """A copy of the network whose parameters live where the array `like` lives."""
        return self.with_parameters({name: move(value, like) for name, value in self.parameters.items()})

    def _any_parameter(self):
        return next(iter(self.parameters.values()))

    def _check(self, x, alpha, sigma):
        xp = checks.batch(x)
        self.check_shape(x)
        dtype = self._any_parameter().dtype
        array_namespace(x, self._any_parameter())
        if np.ndim(alpha) == 0 and np.ndim(sigma) == 0:
            alpha, sigma = checks.levels(alpha, sigma)
        else:
            for value, name in ((alpha, "alpha"), (sigma, "sigma")):
                per_image(value, x, name)  # raises for a wrong shape, NaN, or a negative level
        alpha = xp.broadcast_to(xp.asarray(alpha, dtype=dtype), len(x))  # (B,)
        sigma = xp.broadcast_to(xp.asarray(sigma, dtype=dtype), len(x))  # (B,)
        return alpha, sigma

    def _labels(self, labels, x):
        """The class of each item as integers (B,) where `x` lives, the null class if there are none; None if unused."""
        classes = self.config.get("classes")
        if classes is None:
            if labels is not None:
                raise ValueError(f"labels were given, but this {type(self).__name__} has no classes; make it with some")
            return None
        if labels is None:
            labels = np.full(len(x), classes)  # (B,)
        labels = to_numpy(labels)
        if labels.shape != (len(x),) or labels.dtype.kind not in "iu":
            raise ValueError(f"labels is {labels!r}, expected {len(x)} integers, one for each item of x")
        if labels.min() < 0 or labels.max() > classes:
            raise ValueError(f"labels lie in {labels.min()} to {labels.max()}, expected 0 to {classes - 1}")
        return move(labels, x)
