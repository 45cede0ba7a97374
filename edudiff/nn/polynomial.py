"""The trained twin of polynomial regression: x0_hat is a polynomial in x, another one at each noise level."""

import math

import numpy as np

from edudiff.nn.flat import FlatNet
from edudiff.nn.noise_level import shares
from edudiff.nn.settings import positive, whole
from edudiff.nn.targets import TARGETS
from edudiff.support import checks

MOST = 20_000  # monomials; each has D coefficients at each noise level


class Polynomial(FlatNet):
    """answer = the polynomial of total degree `degree` in the coordinates of x (B, D), its coefficients learned.

    They belong to products of Hermite polynomials (`edudiff.nn.layers.hermite`): the same functions as with monomials,
    easier to train. Degree 1 is `Linear`. Other settings as there. Raises ValueError if there are too many monomials.
    """

    def __init__(self, dimensions, degree, *, levels=32, target="edm", sigma_data=0.5, dtype=np.float32, backend=None):
        config = {
            "dimensions": whole(dimensions, "dimensions"),
            "degree": whole(degree, "degree"),
            "levels": whole(levels, "levels"),
            "target": checks.one_of(target, TARGETS, "target"),
            "sigma_data": positive(sigma_data, "sigma_data"),
        }
        d, k = config["dimensions"], config["levels"]
        terms = math.comb(d + config["degree"], d) - 1
        if terms > MOST:
            raise ValueError(f"degree {degree} in {d} dimensions has {terms} monomials, expected at most {MOST}")
        super().__init__(config, {"w": np.zeros((k, terms, d), dtype), "b": np.zeros((k, d), dtype)}, backend)

    def answer(self, x, alpha, sigma, labels=None, rng=None):
        """The polynomial's value: (B, D) -> (B, D), and the cache."""
        share = shares(alpha, sigma, self.config["levels"])  # (B, K)
        terms, cache_terms = self.layers.hermite(x, self.config["degree"])  # (B, F)
        out, cache = self.layers.dense_at_level(terms, self.parameters["w"], self.parameters["b"], share)  # (B, D)
        return out, (cache_terms, cache)

    def answer_backward(self, dout, cache, need_dx=False):
        """Gradients from the gradient in the answer (B, D)."""
        cache_terms, cache = cache
        dterms, dw, db = self.layers.dense_at_level_backward(dout, cache)  # (B, F)
        dx = self.layers.hermite_backward(dterms, cache_terms) if need_dx else None  # (B, D)
        return {"w": dw, "b": db}, dx
