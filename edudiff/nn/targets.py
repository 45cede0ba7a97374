"""What the network is asked for, and how its answer becomes x0_hat: the one place where they are converted.

Every target is x0_hat = skip * x + out * answer(scale * x), with three numbers that depend on the noise level alone.
"""

from edudiff.support.arrays import array_namespace

TARGETS = ("edm", "eps", "x0", "v")
LEAST_SIGNAL = 1e-4  # x0 = (x - sigma * noise) / alpha: with no signal, no x0; the answer stays finite


def scales(target, alpha, sigma, sigma_data):
    """(skip, out, scale), (B,) each, from noise levels `alpha`, `sigma` (B,) and the root mean square of the pixels.

    "eps": the answer is noise_hat, so x0_hat = (x - sigma * answer) / alpha (Ho et al. 2020).
    "x0": the answer is x0_hat.
    "v": the answer is alpha * noise - sigma * x0, so x0_hat = (alpha * x - sigma * answer) / (alpha**2 +
    sigma**2) (Salimans & Ho 2022, appendix D).
    "edm": Karras et al. 2022, table 1, for x / alpha at noise sigma / alpha, multiplied out so that alpha = 0 is no
    special case: input and answer have unit size at every level. Only this one scales what the network sees.
    """
    xp = array_namespace(alpha, sigma)
    one = xp.ones_like(alpha)
    if target == "eps":
        signal = xp.maximum(alpha, LEAST_SIGNAL)
        return 1 / signal, -sigma / signal, one
    if target == "x0":
        return 0 * one, one, one
    if target == "v":
        power = alpha**2 + sigma**2
        return alpha / power, -sigma / power, one
    total = xp.sqrt(alpha**2 * sigma_data**2 + sigma**2)  # root mean square of x
    return alpha * sigma_data**2 / total**2, sigma * sigma_data / total, 1 / total
