"""The running softmax mean: candidates come in chunks, and any chunk size and order gives the same answer.

The mean of values v_n under weights exp(l_n) / sum exp(l_n) needs three running numbers: top, the largest logit seen;
num, the sum of exp(l_n - top) v_n; den, the sum of exp(l_n - top). They are float64, whatever the logits are, and two
such triples merge into one, so a training set may be split in any way.
"""

import math
from collections.abc import Iterable
from types import EllipsisType, ModuleType
from typing import Any, TypeAlias

from edudiff.support.arrays import array_namespace
from edudiff.support.types import Array

NEGLIGIBLE = 1e-8  # the share of the total weight that may be left out

Part: TypeAlias = tuple[Array, Array, Array]  # (top, num, den) of some candidates: (...), (..., width), (...)


class Softmax:
    """Running `top`, `num` and `den` of a softmax-weighted mean, one for each of `shape` items or pixels.

    `shape`: of top and den, such as (B,) or (B, H, W). `width`: of the last axis of the values. `count`: how many
    candidates there will be in all; it decides how far below the top they are negligible all together.
    """

    def __init__(self, xp: ModuleType, shape: tuple[int, ...], width: int, count: int) -> None:
        self.xp: Any = xp
        self.margin = math.log(count / NEGLIGIBLE)
        self.top = xp.full(shape, -math.inf)  # (...)
        self.num = xp.zeros((*shape, width))  # (..., width)
        self.den = xp.zeros(shape)  # (...)

    def __repr__(self) -> str:
        return f"Softmax(shape={self.top.shape}, width={self.num.shape[-1]}, margin={self.margin:.1f})"

    def add(self, logits: Array, values: Array, where: EllipsisType | tuple[slice, ...] = ...) -> None:
        """Take in candidates: `logits` (..., n) and their `values` (..., n, width), for the items at `where`."""
        xp, old = self.xp, self.top[where]
        chunk_top = logits.max(-1)  # (...)
        if not bool((chunk_top > old - self.margin).any()):
            return
        top = xp.maximum(old, chunk_top)  # (...)
        reference = xp.where(top == -math.inf, 0.0, top)  # (...), so that no -inf is subtracted from -inf
        weights = xp.exp(logits - reference.astype(logits.dtype)[..., None])  # (..., n)
        # The reference was rounded to the dtype of the logits, so the weights are off by this factor.
        rounding = xp.exp(reference.astype(logits.dtype) - reference)  # (...)
        keep = xp.exp(old - reference)  # (...)
        weights = weights.astype(values.dtype, copy=False)  # (..., n)
        if values.ndim == 2:
            num = weights @ values  # (B, width)
        else:
            num = xp.einsum("...n,...nc->...c", weights, values)  # (..., width)
        self.num[where] = keep[..., None] * self.num[where] + rounding[..., None] * num  # (..., width)
        self.den[where] = keep * self.den[where] + rounding * weights.sum(-1)  # (...)
        self.top[where] = top

    def mean(self) -> Array:
        """The weighted mean of all values so far, (..., width), float64."""
        return self.num / self.den[..., None]  # (..., width)


def merge(parts: Iterable[Part]) -> Part:
    """One triple (top, num, den) from several over different candidates: associative, commutative, exact to rounding.

    `parts`: at least one triple for the same noisy batch, as `denoiser.partial` returns them. An empty share is
    top = -inf, num = den = 0. Raises ValueError for no parts or for shapes that differ.
    """
    parts = list(parts)
    if not parts:
        raise ValueError("no parts to merge, expected at least one (top, num, den)")
    if len({(top.shape, num.shape, den.shape) for top, num, den in parts}) > 1:
        shapes = ", ".join(str(num.shape) for _, num, _ in parts)
        raise ValueError(f"parts have shapes {shapes}; expected parts of the same noisy batch")
    xp = array_namespace(*[top for top, _, _ in parts])
    tops = xp.stack([top for top, _, _ in parts])  # (P, ...)
    top = tops.max(0)  # (...)
    scale = xp.exp(tops - xp.where(top == -math.inf, 0.0, top))  # (P, ...)
    num = (scale[..., None] * xp.stack([num for _, num, _ in parts])).sum(0)  # (..., width)
    den = (scale * xp.stack([den for _, _, den in parts])).sum(0)  # (...)
    return top, num, den
