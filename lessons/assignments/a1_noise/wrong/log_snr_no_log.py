"""This is the ratio itself: take its logarithm."""


def log_snr(alpha, sigma):
    return np.square(alpha) / np.square(sigma)
