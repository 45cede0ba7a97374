"""The forward process: adding noise, and the four ways to say what a noisy picture holds.

x = alpha * x0 + sigma * noise. Given x, each of x0, noise, score and velocity determines the others; every conversion
goes through x0, the currency of the package. It takes two arrays of one shape (B, ...) and two numbers, returns a third
array of that shape, and raises ValueError for other shapes or levels (`edudiff.check.levels`).
"""

import numpy as np

from edudiff.backend import array_module, move
from edudiff.check import finite_floats, levels


def streams(seed, pictures):
    """One independent random stream per picture: a list of `numpy.random.Generator`.

    `seed`: an integer >= 0. `pictures`: a count, or the pictures' numbers (a range, a list). Picture 7 of seed 3 has
    the same stream in every batch that it is part of.

    >>> [one] = streams(3, [7])
    >>> one.standard_normal() == streams(3, 10)[7].standard_normal()
    True
    """
    numbers = range(pictures) if hasattr(pictures, "__index__") else pictures
    return [np.random.default_rng((seed, number)) for number in numbers]


def as_streams(rng, count):
    """`rng` as a list of `count` generators: a list is checked, a single generator draws a seed for `streams`.

    One draw however many pictures there are (`rng.spawn` would count them), so that later draws do not depend on it.
    """
    if isinstance(rng, np.random.Generator):
        return streams(int(rng.integers(2**63)), count)
    if not isinstance(rng, list | tuple) or not all(isinstance(r, np.random.Generator) for r in rng):
        raise TypeError(
            f"rng is {type(rng).__name__}, expected a numpy.random.Generator, or a list with one for each picture"
            " (edudiff.forward.streams)"
        )
    if len(rng) != count:
        raise ValueError(f"rng has {len(rng)} streams for a batch of {count}; expected one for each picture")
    return list(rng)


def standard_normal(rng, shape, like=None):
    """Standard normal noise of `shape` (B, ...), picture b drawn from its own stream.

    Drawn on the host in float64, then cast to the dtype and moved to the device of `like`, so that a seed is the same
    picture everywhere. `rng`: a Generator or a list of B of them. Raises ValueError if the counts differ, TypeError
    for a `like` of integers.
    """
    if like is not None and like.dtype.kind != "f":
        raise TypeError(f"like has dtype {like.dtype}, expected floats: noise is no whole number")
    count, *item = shape
    noise = np.stack([r.standard_normal(item) for r in as_streams(rng, count)])  # (B, ...)
    return noise if like is None else move(noise.astype(like.dtype), like)


def add_noise(x0, alpha, sigma, noise):
    """x = alpha * x0 + sigma * noise. `x0`, `noise`: (B, ...). `alpha`, `sigma`: numbers, or one per picture, (B,).

    Returns the dtype of `x0`. Raises TypeError for integers, ValueError for NaN, for a negative level or if the shapes
    differ: a (B, H, W) noise would silently broadcast against a (B, H, W, 1) batch.
    """
    finite_floats(x0, "x0")
    finite_floats(noise, "noise")
    same_shape(x0, noise, "x0", "noise")
    noise = noise.astype(x0.dtype, copy=False)  # (B, ...)
    return per_picture(alpha, x0, "alpha") * x0 + per_picture(sigma, x0, "sigma") * noise  # (B, ...)


def per_picture(value, x, name):
    """A number as a Python float; an array (B,) as (B, 1, ...) in the dtype of `x`, so that it multiplies pictures.

    Raises ValueError for another shape, or unless it is finite and not negative.
    """
    xp = array_module(x)
    values = xp.asarray(value, dtype=x.dtype)
    if values.shape not in ((), x.shape[:1]):
        raise ValueError(f"{name} has shape {values.shape} for a batch of {len(x)}; expected a number or ({len(x)},)")
    if not bool((values >= 0).all() & xp.isfinite(values).all()):
        raise ValueError(f"{name} is {value}, expected finite and not negative")
    return values.reshape(-1, *[1] * (x.ndim - 1)) if values.ndim else float(value)  # (B, 1, ...)


def same_shape(a, b, name_a, name_b):
    """Check that two arrays live in one place and have the same shape, so that nothing broadcasts unseen."""
    array_module(a, b)
    if a.shape != b.shape:
        raise ValueError(f"{name_a} has shape {a.shape} and {name_b} {b.shape}, expected the same shape")


def score_from_x0(x, x0_hat, alpha, sigma):
    """The score of the noisy law, (alpha * x0_hat - x) / sigma**2: (B, ...), (B, ...) -> (B, ...).

    From the posterior mean by Tweedie's formula (Efron 2011).
    """
    same_shape(x, x0_hat, "x", "x0_hat")
    alpha, sigma = levels(alpha, sigma)
    return (alpha * x0_hat - x) / sigma**2  # (B, ...)


def x0_from_score(x, score, alpha, sigma):
    """Tweedie's formula, x0_hat = (x + sigma**2 * score) / alpha: (B, ...), (B, ...) -> (B, ...).

    Raises ValueError where alpha = 0.
    """
    same_shape(x, score, "x", "score")
    alpha, sigma = _with_signal(alpha, sigma)
    return (x + sigma**2 * score) / alpha  # (B, ...)


def noise_from_x0(x, x0_hat, alpha, sigma):
    """The noise that is left without the picture, (x - alpha * x0_hat) / sigma: (B, ...), (B, ...) -> (B, ...)."""
    same_shape(x, x0_hat, "x", "x0_hat")
    alpha, sigma = levels(alpha, sigma)
    return (x - alpha * x0_hat) / sigma  # (B, ...)


def x0_from_noise(x, noise_hat, alpha, sigma):
    """x0_hat = (x - sigma * noise_hat) / alpha: (B, ...), (B, ...) -> (B, ...). Raises ValueError where alpha = 0."""
    same_shape(x, noise_hat, "x", "noise_hat")
    alpha, sigma = _with_signal(alpha, sigma)
    return (x - sigma * noise_hat) / alpha  # (B, ...)


def velocity_from_x0(x, x0_hat, alpha, sigma):
    """v = alpha * noise - sigma * x0 (Salimans & Ho 2022), with the noise that x0_hat leaves in x."""
    same_shape(x, x0_hat, "x", "x0_hat")
    alpha, sigma = levels(alpha, sigma)
    return (alpha * x - (alpha**2 + sigma**2) * x0_hat) / sigma  # (B, ...)


def x0_from_velocity(x, velocity, alpha, sigma):
    """x0_hat = (alpha * x - sigma * v) / (alpha**2 + sigma**2); on a variance-preserving schedule the divisor is 1."""
    same_shape(x, velocity, "x", "velocity")
    alpha, sigma = levels(alpha, sigma)
    return (alpha * x - sigma * velocity) / (alpha**2 + sigma**2)  # (B, ...)


def _with_signal(alpha, sigma):
    alpha, sigma = levels(alpha, sigma)
    if alpha == 0:
        raise ValueError("alpha is 0: x holds no signal, so x0 does not follow from its noise or its score")
    return alpha, sigma
