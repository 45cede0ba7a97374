"""The noise is above the line and the signal below: the ratio must fall as noise grows."""


def log_snr(alpha, sigma):
    return 2 * (np.log(sigma) - np.log(alpha))
