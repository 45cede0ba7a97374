"""The forward process: adding noise, and the four ways to say what a noisy picture holds.

x = alpha * x0 + sigma * noise. Given x, each of x0, noise, score and velocity determines the others; every conversion
goes through x0, the currency of the package. It takes two arrays of one shape (B, ...) and two numbers, returns a third
array of that shape, and raises ValueError for other shapes or levels (`edudiff.support.checks.levels`).
"""

from edudiff.support.checks import finite_floats, levels, per_image, same_shape


def add_noise(x0, alpha, sigma, noise):
    """x = alpha * x0 + sigma * noise. `x0`, `noise`: (B, ...). `alpha`, `sigma`: numbers, or one per picture, (B,).

    Returns the dtype of `x0`. Raises TypeError for integers, ValueError for NaN, for a negative level or if the shapes
    differ: a (B, H, W) noise would silently broadcast against a (B, H, W, 1) batch.
    """
    finite_floats(x0, "x0")
    finite_floats(noise, "noise")
    same_shape(x0, noise, "x0", "noise")
    noise = noise.astype(x0.dtype, copy=False)  # (B, ...)
    return per_image(alpha, x0, "alpha") * x0 + per_image(sigma, x0, "sigma") * noise  # (B, ...)


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
