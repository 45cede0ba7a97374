"""What all denoisers have in common that weigh training values by a softmax: the call, its parts, and their classes.

x0_hat = sum_n exp(l_n) v_n / sum_n exp(l_n). Both sums run over the training set, and may be taken over shares of it:
a share answers (top, num, den), and `merge` joins the answers (see `edudiff.support.softmax`).
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from edudiff.denoisers.classes import Classes
from edudiff.support import checks, rounding
from edudiff.support.arrays import array_namespace
from edudiff.support.softmax import Part
from edudiff.support.types import Array

Self = TypeVar("Self", bound="SoftmaxDenoiser")


@dataclass(frozen=True)
class Posterior:
    """What a denoiser believes of each item or pixel: the law of its training values, weighted by the softmax.

    `mean`: x0_hat, in the shape of x. `variance`: of the values, summed over what one candidate holds (a pixel's
    channels; a whole item of `Ideal`). `entropy`: of the weights, in nats, 0 where one candidate has all. Both (B,)
    where whole items are weighed, (B, H, W) where each pixel is.
    """

    mean: Array
    variance: Array
    entropy: Array

    @property
    @rounding.to_zero
    def effective(self) -> Array:
        """How many candidates compete, exp(entropy): 1 where one has all, their number where all weigh the same."""
        return array_namespace(self.entropy).exp(self.entropy)

    def __repr__(self) -> str:
        return f"Posterior(mean={self.mean.shape}, variance={self.variance.shape}, entropy={self.entropy.shape})"


class SoftmaxDenoiser(ABC):
    """A posterior mean E[x0 | x] in parts that merge. What kind it is, says its one method `_parts`.

    `_parts(x, alpha, sigma, windows, moments)` trusts its arguments and returns a list with a triple (top, num, den),
    float64, for each of `windows`, or, if that is None, one triple for the window of its own. With `moments`, five
    arrays instead of three.
    """

    images: Array | None = None  # what x must match in shape and place; None: `_parts` looks itself
    _classes: Classes | None = None
    _class: int | None = None  # the class that counts alone

    @abstractmethod
    def _parts(
        self, x: Array, alpha: float, sigma: float, windows: Sequence[int] | None, moments: bool
    ) -> list[Part]: ...

    @rounding.to_zero
    def __call__(self, x: Array, alpha: float, sigma: float) -> Array:
        """`x`: (B, H, W, C) or (B, D). Returns x0_hat, same shape, dtype and device."""
        [(_, num, den)] = self.partials(x, alpha, sigma)
        return (num / den[..., None]).astype(x.dtype).reshape(x.shape)  # (B, ...)

    @rounding.to_zero
    def sweep(self, x: Array, alpha: float, sigma: float, windows: Sequence[int]) -> dict[int, Array]:
        """The answers of several `windows`, which share what they can: {window: x0_hat}."""
        parts = self.partials(x, alpha, sigma, windows)
        means = [(num / den[..., None]).astype(x.dtype).reshape(x.shape) for _, num, den in parts]  # (B, ...) each
        return dict(zip(windows, means, strict=True))

    def posterior(self, x: Array, alpha: float, sigma: float) -> Posterior:
        """Mean, variance and entropy of the posterior over the training items or windows, in one pass.

        `x`: (B, H, W, C) or (B, D). Returns a `Posterior` in the dtype of x. Exact at every noise level, but for the
        candidates that all together weigh less than 1e-8 (`Patch`: or than `prune`).
        """
        [part] = self.partials(x, alpha, sigma, moments=True)
        return _posterior(part, x)

    def entropy(self, x: Array, alpha: float, sigma: float) -> Array:
        """Entropy of the posterior over the training items or windows, in nats: (B,), or (B, H, W) where pixels differ.

        log(number of candidates) where noise has drowned all, 0 where one of them is certain; exp of it is the number
        of candidates that still compete.
        """
        return self.posterior(x, alpha, sigma).entropy

    def divergence(self, x: Array, alpha: float, sigma: float) -> Array:
        """sum_i dx0_hat_i / dx_i of each item of `x`: (B,), float64, exactly: alpha / sigma^2 times the variance.

        The Jacobian of a posterior mean is alpha / sigma^2 Cov[x0 | x]; where each pixel has a posterior of its own,
        its diagonal is still made of their variances.
        """
        alpha, sigma = checks.levels(alpha, sigma)
        variance = self.posterior(x.astype("float64"), alpha, sigma).variance  # (B,) or (B, H, W)
        return variance.reshape(len(x), -1).sum(1) * (alpha / sigma**2)  # (B,)

    def posteriors(self, x: Array, alpha: float, sigma: float, windows: Sequence[int]) -> dict[int, Posterior]:
        """The posteriors of several `windows`, which share what they can: {window: Posterior}."""
        parts = self.partials(x, alpha, sigma, windows, moments=True)
        return {window: _posterior(part, x) for window, part in zip(windows, parts, strict=True)}

    def partial(self, x: Array, alpha: float, sigma: float) -> Part:
        """(top, num, den) of this training set, to be joined with others by `merge`: float64, (...), (..., C), (...).

        One for each item, (B,), or, where pixels are weighed on their own, for each pixel, (B, H, W).
        """
        return self.partials(x, alpha, sigma)[0]

    @rounding.to_zero
    def partials(
        self, x: Array, alpha: float, sigma: float, windows: Sequence[int] | None = None, *, moments: bool = False
    ) -> list[Part]:
        """As `partial`, a list with one triple for each of `windows`; None: for the window of its own.

        With `moments`, two more arrays each, as `edudiff.support.softmax` explains.
        Raises TypeError or ValueError for a batch that does not match the training set, for levels out of range, for
        no windows or bad ones.
        """
        checks.batch(x, self.images)
        alpha, sigma = checks.levels(alpha, sigma)
        if windows is not None and len(windows) == 0:
            raise ValueError("windows is empty, expected at least one window side, such as [3, 5]")
        return self._parts(x, alpha, sigma, windows, moments)

    def conditional(self: Self, label: Any) -> Self:
        """This denoiser for the items of one class alone, of which nothing is copied. Needs `labels`.

        Raises ValueError for a label that no item has.
        """
        if self._classes is None:
            raise ValueError(f"a {type(self).__name__} has no classes: make a denoiser for each class on its own")
        other = copy.copy(self)
        other._class = self._classes.number(label)
        return other


@rounding.to_zero
def _posterior(part, x):
    """The `Posterior` of (top, num, den, squares, fall). Rounding may not make a variance or an entropy negative."""
    _, num, den, squares, fall = part
    xp = array_namespace(den)
    mean = num / den[..., None]  # (..., C)
    variance = xp.maximum(squares / den - (mean**2).sum(-1), 0.0)  # (...)
    entropy = xp.maximum(xp.log(den) - fall / den, 0.0)  # (...)
    return Posterior(mean.astype(x.dtype).reshape(x.shape), variance.astype(x.dtype), entropy.astype(x.dtype))
