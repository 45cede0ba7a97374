"""How much an error counts at each noise level: weights of the squared error of x0_hat, named after their papers."""

import numpy as np

from edudiff.support import checks

WEIGHTINGS = ("edm", "eps", "v", "x0", "min_snr")
LEAST_NOISE = 1e-4  # t = 0 exactly would weigh infinitely
MOST_SNR = 5.0


def loss_weight(alpha, sigma, weighting, sigma_data):
    """Weight of the squared error of x0_hat at each noise level: (B,) host arrays -> (B,). snr = (alpha / sigma)**2.

    "edm": 1 / out**2, so that the answer of an "edm" network counts alike at every level (Karras et al. 2022, table
    1).
    "eps": snr, which makes it the squared error of noise_hat (Ho et al. 2020, eq. 14).
    "v": (snr + 1) * (alpha**2 + sigma**2), the squared error of the velocity (Salimans & Ho 2022, section 4).
    "min_snr": the smaller of snr and 5 (Hang et al. 2023, eq. 5).
    "x0": 1, the squared error of x0_hat itself.

    Raises ValueError for another name.
    """
    checks.one_of(weighting, WEIGHTINGS, "weighting")
    sigma = np.maximum(sigma, LEAST_NOISE)
    snr = (alpha / sigma) ** 2
    if weighting == "edm":
        return (alpha**2 * sigma_data**2 + sigma**2) / (sigma * sigma_data) ** 2
    if weighting == "v":
        return (snr + 1) * (alpha**2 + sigma**2)
    if weighting == "min_snr":
        return np.minimum(snr, MOST_SNR)
    return np.ones_like(alpha) if weighting == "x0" else snr
