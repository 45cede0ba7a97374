"""You divide by the total power alpha^2 + sigma^2; the ratio is signal to noise, not signal to everything."""


def log_snr(alpha, sigma):
    return np.log(np.square(alpha) / (np.square(alpha) + np.square(sigma)))
