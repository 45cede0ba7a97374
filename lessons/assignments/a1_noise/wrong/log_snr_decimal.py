"""You take the logarithm to base 10: the clock is the natural logarithm, np.log."""


def log_snr(alpha, sigma):
    return 2 * (np.log10(alpha) - np.log10(sigma))
