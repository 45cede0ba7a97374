"""How alike two pictures are, each measure under its own name, and how far a picture is from the training set.

Published figures called "r^2" are mostly r: the code of Kamb & Ganguli prints the plain correlation, unsquared. So the
three measures are kept apart here: for r = 0.95, r^2 is 0.90, and R^2 of pictures with equal mean and variance is 0.90
only because 2 r - 1 happens to be close; R^2 can be negative.
"""

from edudiff.support import checks, distances
from edudiff.support.arrays import array_namespace
from edudiff.support.types import Array


def pearson_r(a: Array, b: Array) -> Array:
    """Correlation of the pixel values of two batches, picture by picture: (B, ...), (B, ...) -> (B,) in [-1, 1].

    Raises ValueError if the shapes differ. A picture of one value has no correlation: NaN.
    """
    return _cosine(*_centered(a, b))  # (B,)


def r_squared(a: Array, b: Array) -> Array:
    """The square of `pearson_r`: the share of variance that the best straight line from one to the other explains."""
    return pearson_r(a, b) ** 2


def r2_score(truth: Array, prediction: Array) -> Array:
    """Coefficient of determination, 1 - |truth - prediction|^2 / |truth - its mean|^2: (B, ...) -> (B,), at most 1.

    The only one of the three that sees a wrong brightness or contrast, and the only one that is not symmetric. NaN for
    a truth of one value, which leaves nothing to explain.
    """
    spread = (_centered(truth, prediction)[0] ** 2).sum(axis=1)  # (B,)
    truth, prediction = _flat(truth, prediction)  # (B, D) each
    return 1 - _ratio(((truth - prediction) ** 2).sum(axis=1), spread)  # (B,)


def cosine_similarity(a: Array, b: Array) -> Array:
    """Cosine of the angle between two batches, picture by picture: (B, ...), (B, ...) -> (B,). NaN for one of zeros."""
    return _cosine(*_flat(a, b))  # (B,)


def nearest(x: Array, images: Array, leave_out: bool = False) -> tuple[Array, Array]:
    """Index of the training image nearest to each picture, and the root-mean-square distance to it: (B,), (B,).

    `x`: (B, ...). `images`: (N, ...). `leave_out`: `x` is `images`, and none counts as its own neighbor. Raises
    ValueError for items of different shapes.
    """
    checks.same_shape(x[0], images[0], "an item of x", "one of the images")
    rows, others = x.reshape(len(x), -1), images.reshape(len(images), -1)  # (B, D), (N, D)
    index, squares = distances.nearest(rows, others, leave_out)  # (B,), (B,)
    return index, (squares / rows.shape[1]) ** 0.5


def _flat(a, b):
    checks.same_shape(a, b, "a", "b")
    return [batch.reshape(len(batch), -1).astype("float64") for batch in (a, b)]  # (B, D) each


def _centered(a, b):
    # From the first pixel: the mean of equal values may be off by a rounding, and what is left of them must be 0.
    shifted = [flat - flat[:, :1] for flat in _flat(a, b)]  # (B, D) each
    return [flat - flat.mean(axis=1, keepdims=True) for flat in shifted]  # (B, D) each


def _ratio(above, below):
    """above / below, and NaN without a warning where `below` is 0: (B,), (B,) -> (B,)."""
    xp, nothing = array_namespace(above, below), below == 0  # (B,)
    return xp.where(nothing, xp.nan, above / xp.where(nothing, 1, below))  # (B,)


def _cosine(a, b):
    return _ratio((a * b).sum(axis=1), ((a**2).sum(axis=1) * (b**2).sum(axis=1)) ** 0.5)  # (B,)
