"""The trained twin of the Wiener filter: x0_hat is an affine function of x, another one at each noise level."""

import numpy as np

from edudiff.nn.flat import FlatNet
from edudiff.nn.noise_level import shares
from edudiff.nn.settings import positive, whole
from edudiff.nn.targets import TARGETS
from edudiff.support import checks


class Linear(FlatNet):
    """answer = x @ w + b on flat data (B, D), with w and b for each of `levels` noise levels.

    Between two levels the answer is the straight line between theirs, and beyond the last that of the last; see
    `edudiff.nn.noise_level.shares`. With `levels=1` there is one matrix, for data at one noise level. The best one is
    the closed form `edudiff.denoisers.Linear`, whatever the target: mean + S (S + s^2)^-1 (x / alpha - mean).
    `dimensions`: D. `target`, `sigma_data`: see `edudiff.nn.targets`.
    """

    def __init__(self, dimensions, *, levels=32, target="edm", sigma_data=0.5, dtype=np.float32, backend=None):
        config = {
            "dimensions": whole(dimensions, "dimensions"),
            "levels": whole(levels, "levels"),
            "target": checks.one_of(target, TARGETS, "target"),
            "sigma_data": positive(sigma_data, "sigma_data"),
        }
        d, k = config["dimensions"], config["levels"]
        super().__init__(config, {"w": np.zeros((k, d, d), dtype), "b": np.zeros((k, d), dtype)}, backend)

    def answer(self, x, alpha, sigma, labels=None, rng=None):
        """x @ w + b: (B, D) -> (B, D), and the cache."""
        share = shares(alpha, sigma, self.config["levels"])  # (B, K)
        return self.layers.dense_at_level(x, self.parameters["w"], self.parameters["b"], share)

    def answer_backward(self, dout, cache, need_dx=False):
        """Gradients from the gradient in the answer (B, D)."""
        dx, dw, db = self.layers.dense_at_level_backward(dout, cache)
        return {"w": dw, "b": db}, dx
