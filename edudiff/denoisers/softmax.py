"""The running softmax mean: candidates come in chunks, and any chunk size and order gives the same answer.

The mean of values v_n under weights exp(l_n) / sum exp(l_n) needs three running numbers: top, the largest logit seen;
num, the sum of exp(l_n - top) v_n; den, the sum of exp(l_n - top). They are float64, whatever the logits are, and two
such triples merge into one, so a training set may be split in any way.
"""

import math

from edudiff.support.arrays import array_namespace

NEGLIGIBLE = 1e-8  # the share of the total weight that may be left out


def margin(count):
    """How far below the top `count` logits together are negligible: count * exp(-margin) = NEGLIGIBLE.

    >>> round(margin(1), 1)
    18.4
    """
    return math.log(count) - math.log(NEGLIGIBLE)


class Softmax:
    """Running (top, num, den) of a softmax-weighted mean, one for each of `shape` items or pixels.

    `shape`: of top and den, such as (B,) or (B, H, W). `width`: of the last axis of the values. `count`: how many
    candidates there will be in all; it decides which are too far below the top to matter.
    """

    def __init__(self, xp, shape, width, count):
        self.xp = xp
        self.margin = margin(count)
        self.top = xp.full(shape, -math.inf)  # (...)
        self.num = xp.zeros((*shape, width))  # (..., width)
        self.den = xp.zeros(shape)  # (...)

    def add(self, logits, values, where=...):
        """Take in candidates: `logits` (..., n) and their `values` (..., n, width), for the items at `where`."""
        xp, old = self.xp, self.top[where]
        chunk_top = logits.max(-1)  # (...)
        if not bool((chunk_top > old - self.margin).any()):
            return
        top = xp.maximum(old, chunk_top)  # (...)
        reference = finite(xp, top)  # (...)
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

    def parts(self):
        """The triple (top, num, den): float64, shapes (...), (..., width), (...)."""
        return self.top, self.num, self.den

    def mean(self):
        """The weighted mean of all values so far, (..., width), float64."""
        return mean(self.parts())


def mean(part):
    """The weighted mean num / den of one triple (top, num, den): (..., width)."""
    _, num, den = part
    return num / den[..., None]  # (..., width)


def merge(parts):
    """One triple (top, num, den) from several over different candidates: associative, commutative, exact to rounding.

    `parts`: a non-empty sequence of triples for the same noisy batch, as `denoiser.partial` returns them. An empty
    share is top = -inf, num = den = 0. Raises ValueError for no parts or for shapes that differ.
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
    scale = xp.exp(tops - finite(xp, top))  # (P, ...)
    num = (scale[..., None] * xp.stack([num for _, num, _ in parts])).sum(0)  # (..., width)
    den = (scale * xp.stack([den for _, _, den in parts])).sum(0)  # (...)
    return top, num, den


def finite(xp, top):
    """`top`, with 0 where it is -inf, so that no -inf is subtracted from -inf."""
    return xp.where(top == -math.inf, 0.0, top)  # (...)
