"""Trained twins of closed forms, for flat data: one map for each of some noise levels, and straight lines between."""

import math
from dataclasses import KW_ONLY, MISSING, dataclass
from typing import Any

from edudiff.nn.config import FlatConfig, NetConfig
from edudiff.nn.initial import Initial
from edudiff.nn.net import FlatNet
from edudiff.nn.noise_level import shares
from edudiff.support.settings import setting, with_default
from edudiff.support.types import Array, Arrays, Rng

MOST = 20_000  # monomials; each has D coefficients at each noise level


@dataclass(frozen=True, repr=False)
class LinearConfig(FlatConfig):
    """The settings of `Linear`."""

    _: KW_ONLY
    levels: int = setting(32, "noise levels with a map of their own", least=1)


@dataclass(frozen=True, repr=False)
class PolynomialConfig(LinearConfig):
    """The settings of `Polynomial`."""

    degree: int = setting(MISSING, "total degree of the polynomial", least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        # Beyond 20 of each there are more than MOST by far, and counting them could take for ever.
        if min(self.degree, self.dimensions) > 20 or self.terms > MOST:
            what = f"degree {self.degree} in {self.dimensions} dimensions has too many monomials"
            raise ValueError(f"{what}, expected at most {MOST}")

    @property
    def terms(self) -> int:
        """The number of monomials without the constant one."""
        return math.comb(self.dimensions + self.degree, self.dimensions) - 1


@dataclass(frozen=True, repr=False)
class BottleneckConfig(LinearConfig):
    """The settings of `Bottleneck`."""

    k: int = setting(MISSING, "values of the code", least=1)
    target: str = with_default(NetConfig, "target", "x0")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.k > self.dimensions:
            raise ValueError(f"k is {self.k}, expected at most the {self.dimensions} dimensions of the data")


class Linear(FlatNet):
    """The trained twin of the Wiener filter: F = x @ w + b on flat data (B, D), w and b another at each noise level.

    Between two levels the answer is the straight line between theirs, and beyond the last that of the last; see
    `edudiff.nn.noise_level.shares`. With `levels=1` there is one matrix, for data at one noise level. The best one is
    the closed form `edudiff.denoisers.Linear`, whatever the target: mean + S (S + s^2)^-1 (x / alpha - mean).
    """

    config: LinearConfig

    def initial(self, make: Initial) -> None:
        """All zeros."""
        d, count = self.config.dimensions, self.config.levels
        make.constant("w", (count, d, d), 0.0)
        make.constant("b", (count, d), 0.0)

    def answer(self, x: Array, c_noise: Array, labels: Array | None = None, rng: Rng = None) -> tuple[Array, Any]:
        """x @ w + b: (B, D) -> (B, D), and the cache."""
        share = shares(c_noise, self.config.levels)  # (B, K)
        return self.layers.dense_at_level(x, self.parameters["w"], self.parameters["b"], share)

    def answer_backward(self, dout: Array, cache: Any, need_dx: bool = False) -> tuple[Arrays, Array | None]:
        """Gradients from the gradient in the answer (B, D)."""
        dx, dw, db = self.layers.dense_at_level_backward(dout, cache)
        return {"w": dw, "b": db}, dx


class Polynomial(FlatNet):
    """The trained twin of polynomial regression: F is a polynomial in the coordinates of x (B, D), of some degree.

    What is learned are the coefficients of products of Hermite polynomials (`edudiff.nn.layers.hermite`): the same
    functions as with monomials, easier to train. Degree 1 is `Linear`. Raises ValueError for too many monomials.
    """

    config: PolynomialConfig

    def initial(self, make: Initial) -> None:
        """All zeros."""
        d, count = self.config.dimensions, self.config.levels
        make.constant("w", (count, self.config.terms, d), 0.0)
        make.constant("b", (count, d), 0.0)

    def answer(self, x: Array, c_noise: Array, labels: Array | None = None, rng: Rng = None) -> tuple[Array, Any]:
        """The polynomial's value: (B, D) -> (B, D), and the cache."""
        share = shares(c_noise, self.config.levels)  # (B, K)
        terms, cache_terms = self.layers.hermite(x, self.config.degree)  # (B, F)
        out, cache = self.layers.dense_at_level(terms, self.parameters["w"], self.parameters["b"], share)  # (B, D)
        return out, (cache_terms, cache)

    def answer_backward(self, dout: Array, cache: Any, need_dx: bool = False) -> tuple[Arrays, Array | None]:
        """Gradients from the gradient in the answer (B, D)."""
        cache_terms, cache = cache
        dterms, dw, db = self.layers.dense_at_level_backward(dout, cache)  # (B, F)
        dx = self.layers.hermite_backward(dterms, cache_terms) if need_dx else None  # (B, D)
        return {"w": dw, "b": db}, dx


class Bottleneck(FlatNet):
    """The trained twin of principal components: F = (x @ encode.w + encode.b) @ decode.w + decode.b, of a code of `k`.

    The decoder is one for all noise levels, the encoder another at each (as in `Linear`). So the answer lies on one
    k-dimensional plane. What that keeps depends on the target: with "x0" the best plane holds the k principal
    components of the data with the largest variance, with "eps" those with the smallest.
    """

    config: BottleneckConfig

    def initial(self, make: Initial) -> None:
        """Weights that keep the size of what passes, biases of zero."""
        d, k, count = self.config.dimensions, self.config.k, self.config.levels
        make.normal("encode.w", (count, d, k), d**-0.5)
        make.constant("encode.b", (count, k), 0.0)
        make.layer("decode", (k, d), 1.0)

    def answer(self, x: Array, c_noise: Array, labels: Array | None = None, rng: Rng = None) -> tuple[Array, Any]:
        """Through the bottleneck: (B, D) -> (B, k) -> (B, D), and the cache."""
        p, run = self.parameters, self.layers
        share = shares(c_noise, self.config.levels)  # (B, K)
        code, cache_encode = run.dense_at_level(x, p["encode.w"], p["encode.b"], share)  # (B, k)
        out, cache_decode = run.dense(code, p["decode.w"], p["decode.b"])  # (B, D)
        return out, (cache_encode, cache_decode)

    def answer_backward(self, dout: Array, cache: Any, need_dx: bool = False) -> tuple[Arrays, Array | None]:
        """Gradients from the gradient in the answer (B, D)."""
        run, gradients = self.layers, {}
        cache_encode, cache_decode = cache
        dcode, gradients["decode.w"], gradients["decode.b"] = run.dense_backward(dout, cache_decode)  # (B, k)
        dx, gradients["encode.w"], gradients["encode.b"] = run.dense_at_level_backward(dcode, cache_encode)
        return gradients, dx
