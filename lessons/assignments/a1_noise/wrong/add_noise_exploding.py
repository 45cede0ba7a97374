"""The picture keeps its full size: it is multiplied by alpha as the noise is by sigma."""


def add_noise(x0, alpha, sigma, noise):
    sigma = np.asarray(sigma, dtype=x0.dtype).reshape((-1,) + (1,) * (x0.ndim - 1))
    return x0 + sigma * noise
