"""How exact a sum of squared differences in float32 can be, and what to do where that is not enough.

A logit is a window's summed squared difference over 2 sigma^2. It is known to about 1e-7 of its own size, and only
differences between logits matter: a part that all candidates share costs digits and gains nothing. So a guess of the
squared difference that counts is taken off each pixel before the sum. Where the sums stay too large for float32 and
more than one candidate matters, `doubtful` says so, and the query is computed again in float64.
"""

EPSILON = 6e-8  # relative rounding error of one float32 operation
TOLERANCE = 2e-6  # of a weight, hence of a pixel


def expected_square(x, alpha, sigma, mean, variance):
    """E[|x - alpha x0|^2 | x] at each pixel if pixels were independent and Gaussian: (B, H, W, C) to (B, H, W).

    At small sigma it is sigma^2 per channel, at large sigma nearly (x - alpha mean)^2; `mean`, `variance`: of all
    training pixels, two floats.
    """
    total = alpha**2 * variance + sigma**2
    residual = (x - alpha * mean) * (sigma**2 / total)  # (B, H, W, C)
    return (residual**2 + alpha**2 * variance * sigma**2 / total).sum(-1)  # (B, H, W)


def doubtful(part, offset, x, sigma, values):
    """For which queries float32 logits are too coarse: booleans, (B,).

    `part`: (top, num, den) with tops that lack `offset` (B, H, W), the shared part of the logit. `values`: how many
    squared differences a window has.
    """
    top, _, den = part
    full = abs(top + offset)  # (B, H, W)
    # Rounding errors of single values add up like a random walk; those of the last sums are of the size of the sums.
    each = full / values**0.5  # (B, H, W)
    largest = abs(x).max((1, 2, 3))[:, None, None]  # (B, 1, 1)
    difference = (2 * full) ** 0.5 * largest / sigma  # (B, H, W)
    error = EPSILON * (each + difference + abs(top))  # (B, H, W)
    rest = 1 - 1 / den  # (B, H, W): the share of weight that is not the first candidate's
    return (error * rest > TOLERANCE).any((1, 2))  # (B,)
