"""float32 pictures come back as float64: a float64 array of alphas lifts everything that it multiplies, so cast the
scales to the dtype of x0."""


def add_noise(x0, alpha, sigma, noise):
    axes = (-1,) + (1,) * (x0.ndim - 1)
    return np.reshape(alpha, axes) * x0 + np.reshape(sigma, axes) * noise
