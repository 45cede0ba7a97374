"""How alike two pictures are, each measure under its own name, and how far a picture is from the training set.

Published figures called "r^2" are mostly r: the code of Kamb & Ganguli prints the plain correlation, unsquared. So the
three measures are kept apart here: for r = 0.95, r^2 is 0.90, and R^2 of pictures with equal mean and variance is 0.90
only because 2 r - 1 happens to be close; R^2 can be negative.
"""

from edudiff.backend import array_module


def pearson_r(a, b):
    """Correlation of the pixel values of two batches, picture by picture: (B, ...), (B, ...) -> (B,) in [-1, 1].

    Raises ValueError if the shapes differ. A picture of one value has no correlation: NaN.
    """
    a, b = _centred(a, b), _centred(b, a)  # (B, D)
    return _cosine(a, b)  # (B,)


def r2(a, b):
    """The square of `pearson_r`: the share of variance that the best straight line from one to the other explains."""
    return pearson_r(a, b) ** 2


def R2(truth, prediction):
    """Coefficient of determination, 1 - |truth - prediction|^2 / |truth - its mean|^2: (B, ...) -> (B,), at most 1.

    The only one of the three that sees a wrong brightness or contrast, and the only one that is not symmetric.
    """
    spread = (_centred(truth, prediction) ** 2).sum(axis=1)  # (B,)
    error = (_flat(truth, prediction) - _flat(prediction, truth)) ** 2  # (B, D)
    return 1 - error.sum(axis=1) / spread  # (B,)


def cosine_similarity(a, b):
    """Cosine of the angle between two batches, picture by picture: (B, ...), (B, ...) -> (B,)."""
    return _cosine(_flat(a, b), _flat(b, a))  # (B,)


def nearest(x, images, chunk=1024):
    """Index of the training image nearest to each picture, and the root-mean-square distance to it: (B,), (B,).

    `x`: (B, ...). `images`: (N, ...). Differences are taken directly, in float64, for a chunk of training images each.
    """
    xp = array_module(x, images)
    rows = x.reshape(len(x), -1).astype("float64")  # (B, D)
    index = xp.zeros(len(x), dtype="int64")  # (B,)
    least = xp.full(len(x), xp.inf)  # (B,)
    chunk = max(1, chunk // len(x))
    for first in range(0, len(images), chunk):
        some = images[first : first + chunk].reshape(-1, rows.shape[1])  # (n, D)
        squares = ((rows[:, None] - some) ** 2).mean(axis=2)  # (B, n)
        closer = squares.min(axis=1) < least  # (B,)
        index = xp.where(closer, first + squares.argmin(axis=1), index)  # (B,)
        least = xp.minimum(least, squares.min(axis=1))  # (B,)
    return index, xp.sqrt(least)


def _flat(a, other):
    array_module(a, other)
    if a.shape != other.shape:
        raise ValueError(f"pictures of shape {a.shape} are compared with {other.shape}, expected the same shape")
    return a.reshape(len(a), -1).astype("float64")  # (B, D)


def _centred(a, other):
    flat = _flat(a, other)
    return flat - flat.mean(axis=1, keepdims=True)  # (B, D)


def _cosine(a, b):
    xp = array_module(a, b)
    return (a * b).sum(axis=1) / xp.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))  # (B,)
