"""The noise is scaled by its variance: sigma is a standard deviation already, do not square it."""


def add_noise(x0, alpha, sigma, noise):
    axes = (-1,) + (1,) * (x0.ndim - 1)
    alpha = np.asarray(alpha, dtype=x0.dtype).reshape(axes)
    sigma = np.asarray(sigma, dtype=x0.dtype).reshape(axes)
    return alpha * x0 + sigma**2 * noise
