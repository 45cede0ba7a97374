"""float32 scales come back as a float64 logarithm: leave their dtype as it is."""


def log_snr(alpha, sigma):
    alpha, sigma = np.asarray(alpha, dtype=float), np.asarray(sigma, dtype=float)
    return 2 * (np.log(alpha) - np.log(sigma))
