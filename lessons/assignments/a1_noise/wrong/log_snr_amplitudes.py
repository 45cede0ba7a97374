"""This is the logarithm of alpha / sigma: a ratio of powers has the squares of both, which doubles the logarithm."""


def log_snr(alpha, sigma):
    return np.log(alpha) - np.log(sigma)
