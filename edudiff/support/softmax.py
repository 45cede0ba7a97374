"""The running softmax mean: candidates come in chunks, and any chunk size and order gives the same answer.

The mean of values v_n under weights exp(l_n) / sum exp(l_n) needs three running numbers: top, the largest logit seen;
num, the sum of exp(l_n - top) v_n; den, the sum of exp(l_n - top). They are float64, whatever the logits are, and two
such triples merge into one, so a training set may be split in any way.

Who also asks for the moments gets two more: squares, the sum of exp(l_n - top) |v_n|^2, for the variance of the values,
and fall, the sum of exp(l_n - top) (l_n - top), for the entropy of the weights, log(den) - fall / den.
"""

import math
from collections.abc import Iterable
from types import EllipsisType, ModuleType
from typing import Any, TypeAlias

from edudiff.support.arrays import array_namespace
from edudiff.support.rounding import to_zero
from edudiff.support.types import Array

NEGLIGIBLE = 1e-8  # the share of the total weight that may be left out
TIE = 2.0**-17  # a distance that near to the best, of its own size, is never too far off: rounding may be all of it

# Of some candidates: (top, num, den), shapes (...), (..., width), (...); with moments also squares, fall, (...) each.
Part: TypeAlias = tuple[Array, ...]


class Softmax:
    """Running `top`, `num` and `den` of a softmax-weighted mean, one for each of `shape` items or pixels.

    `shape`: of top and den, such as (B,) or (B, H, W). `width`: of the last axis of the values. `count`: how many
    candidates there will be in all; it decides how far below the top they are negligible all together. `moments`: keep
    `squares` and `fall`, too.
    """

    def __init__(self, xp: ModuleType, shape: tuple[int, ...], width: int, count: int, moments: bool = False) -> None:
        self.xp: Any = xp
        self.margin = math.log(count / NEGLIGIBLE)
        self.top = xp.full(shape, -math.inf)  # (...)
        self.num = xp.zeros((*shape, width))  # (..., width)
        self.den = xp.zeros(shape)  # (...)
        self.moments: Part = (xp.zeros(shape), xp.zeros(shape)) if moments else ()  # squares and fall, (...) each

    def __repr__(self) -> str:
        return f"Softmax(shape={self.top.shape}, width={self.num.shape[-1]}, margin={self.margin:.1f})"

    @to_zero
    def add(self, logits: Array, values: Array, where: EllipsisType | tuple[slice, ...] = ...) -> None:
        """Take in candidates: `logits` (..., n) and their `values` (..., n, width), for the items at `where`."""
        xp, old = self.xp, self.top[where]
        chunk_top = logits.max(-1)  # (...)
        if not bool((chunk_top > old - self.margin).any()):
            return
        top = xp.maximum(old, chunk_top)  # (...)
        reference = xp.where(top == -math.inf, 0.0, top)  # (...), so that no -inf is subtracted from -inf
        rounded = reference.astype(logits.dtype)  # (...)
        weights = xp.exp(logits - rounded[..., None])  # (..., n)
        # The reference was rounded to the dtype of the logits, so the weights are off by this factor.
        rounding = xp.exp(rounded - reference)  # (...)
        keep = xp.exp(old - reference)  # (...)
        weights = weights.astype(values.dtype, copy=False)  # (..., n)
        if values.ndim == 2:
            num = weights @ values  # (B, width)
        else:
            num = xp.einsum("...n,...nc->...c", weights, values)  # (..., width)
        den = rounding * weights.sum(-1)  # (...)
        if self.moments:
            squares, fall = self.moments
            falls = weights * xp.where(weights > 0, logits - rounded[..., None], 0.0)  # (..., n), as 0 * -inf is NaN
            lost = xp.where(old == -math.inf, 0.0, old - reference)  # (...)
            fall[where] = keep * (fall[where] + lost * self.den[where])
            fall[where] += rounding * falls.sum(-1) + (rounded - reference) * den
            squares[where] = keep * squares[where] + rounding * (weights * (values**2).sum(-1)).sum(-1)  # (...)
        self.num[where] = keep[..., None] * self.num[where] + rounding[..., None] * num  # (..., width)
        self.den[where] = keep * self.den[where] + den  # (...)
        self.top[where] = top

    @to_zero
    def mean(self) -> Array:
        """The weighted mean of all values so far, (..., width), float64."""
        return self.num / self.den[..., None]  # (..., width)


@to_zero
def merge(parts: Iterable[Part]) -> Part:
    """One triple (top, num, den) from several over different candidates: associative, commutative, exact to rounding.

    `parts`: at least one triple for the same noisy batch, as `denoiser.partial` returns them, or five arrays each, with
    moments. An empty share is top = -inf, all else 0. Raises ValueError for no parts or for shapes that differ.
    """
    parts = list(parts)
    if not parts:
        raise ValueError("no parts to merge, expected at least one (top, num, den)")
    if len({tuple(array.shape for array in part) for part in parts}) > 1:
        shapes = ", ".join(str(part[1].shape) for part in parts)
        raise ValueError(
            f"parts have shapes {shapes}; expected parts of the same noisy batch, all with moments or none"
        )
    xp = array_namespace(*[part[0] for part in parts])
    return join(*(xp.stack(arrays) for arrays in zip(*parts, strict=True)))


@to_zero
def join(tops: Array, nums: Array, dens: Array, *moments: Array) -> Part:
    """As `merge`, of parts that lie side by side already: (P, ...), (P, ..., width), (P, ...), and so on."""
    xp = array_namespace(tops)
    top = tops.max(0)  # (...)
    lost = tops - xp.where(top == -math.inf, 0.0, top)  # (P, ...)
    scale = xp.exp(lost)  # (P, ...)
    merged = top, (scale[..., None] * nums).sum(0), (scale * dens).sum(0)  # (...), (..., width), (...)
    if moments:
        squares, falls = moments
        falls = falls + xp.where(tops == -math.inf, 0.0, lost) * dens  # (P, ...), from the common top
        return *merged, (scale * squares).sum(0), (scale * falls).sum(0)
    return merged
