"""How alike two pictures are, each measure under its own name, and how far a picture is from the training set.

Published figures called "r^2" are mostly r: the code of Kamb & Ganguli prints the plain correlation, unsquared. So the
three measures are kept apart here: for r = 0.95, r^2 is 0.90, and R^2 of pictures with equal mean and variance is 0.90
only because 2 r - 1 happens to be close; R^2 can be negative.
"""

from edudiff.support import distances
from edudiff.support.arrays import array_namespace


def pearson_r(a, b):
    """Correlation of the pixel values of two batches, picture by picture: (B, ...), (B, ...) -> (B,) in [-1, 1].

    Raises ValueError if the shapes differ. A picture of one value has no correlation: NaN.
    """
    a, b = _centered(a, b), _centered(b, a)  # (B, D)
    return _cosine(a, b)  # (B,)


def r_squared(a, b):
    """The square of `pearson_r`: the share of variance that the best straight line from one to the other explains."""
    return pearson_r(a, b) ** 2


def r2_score(truth, prediction):
    """Coefficient of determination, 1 - |truth - prediction|^2 / |truth - its mean|^2: (B, ...) -> (B,), at most 1.

    The only one of the three that sees a wrong brightness or contrast, and the only one that is not symmetric.
    """
    spread = (_centered(truth, prediction) ** 2).sum(axis=1)  # (B,)
    error = (_flat(truth, prediction) - _flat(prediction, truth)) ** 2  # (B, D)
    return 1 - error.sum(axis=1) / spread  # (B,)


def cosine_similarity(a, b):
    """Cosine of the angle between two batches, picture by picture: (B, ...), (B, ...) -> (B,)."""
    return _cosine(_flat(a, b), _flat(b, a))  # (B,)


def nearest(x, images, leave_out=False):
    """Index of the training image nearest to each picture, and the root-mean-square distance to it: (B,), (B,).

    `x`: (B, ...). `images`: (N, ...). `leave_out`: `x` is `images`, and none counts as its own neighbor.
    """
    index, squares = distances.nearest(*(a.reshape(len(a), -1) for a in (x, images)), leave_out)  # (B,), (B,)
    return index, (squares / (x.size / len(x))) ** 0.5


def _flat(a, other):
    array_namespace(a, other)
    if a.shape != other.shape:
        raise ValueError(f"pictures of shape {a.shape} are compared with {other.shape}, expected the same shape")
    return a.reshape(len(a), -1).astype("float64")  # (B, D)


def _centered(a, other):
    flat = _flat(a, other)
    return flat - flat.mean(axis=1, keepdims=True)  # (B, D)


def _cosine(a, b):
    xp = array_namespace(a, b)
    return (a * b).sum(axis=1) / xp.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))  # (B,)
