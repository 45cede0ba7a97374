"""You take the root of alpha: that is right for the "alpha bar" of the papers, but alpha here is the scale itself."""


def add_noise(x0, alpha, sigma, noise):
    axes = (-1,) + (1,) * (x0.ndim - 1)
    alpha = np.asarray(alpha, dtype=x0.dtype).reshape(axes)
    sigma = np.asarray(sigma, dtype=x0.dtype).reshape(axes)
    return np.sqrt(alpha) * x0 + np.sqrt(sigma) * noise
