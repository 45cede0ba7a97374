"""A (B,) array lines up with the last axis of the pictures: reshape alpha and sigma to (B, 1, ..., 1), or each color
gets a level instead of each picture."""


def add_noise(x0, alpha, sigma, noise):
    alpha, sigma = np.asarray(alpha, dtype=x0.dtype), np.asarray(sigma, dtype=x0.dtype)
    return alpha * x0 + sigma * noise
