"""You write the answer into x0 itself; the caller still needs its picture, so make a new array (x0 = x0 * alpha, not
x0 *= alpha)."""


def add_noise(x0, alpha, sigma, noise):
    axes = (-1,) + (1,) * (x0.ndim - 1)
    x0 *= np.asarray(alpha, dtype=x0.dtype).reshape(axes)
    x0 += np.asarray(sigma, dtype=x0.dtype).reshape(axes) * noise
    return x0
