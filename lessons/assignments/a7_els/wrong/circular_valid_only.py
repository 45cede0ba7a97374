"""Your training windows do not wrap: on a torus the windows at the border of a training picture are candidates like
all others."""


def els_circular(x, images, alpha, sigma, window):
    own, r = windows(x, window, "circular"), window // 2
    inside = (slice(None), slice(r, images.shape[1] - r), slice(r, images.shape[2] - r))
    patches = windows(images, window, "circular")[inside].reshape(-1, own.shape[-1])
    squares = ((own[..., None, :] - alpha * patches) ** 2).sum(axis=-1)
    return softmax_mean(-squares / (2 * sigma**2), images[inside].reshape(-1, images.shape[-1]))
