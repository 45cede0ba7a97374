"""You take the logarithm to base 10: this one is natural, np.log."""


def log_snr(alpha, sigma):
    return 2 * (np.log10(alpha) - np.log10(sigma))
