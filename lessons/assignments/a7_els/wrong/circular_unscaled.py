"""You compare the noisy windows with the clean ones: scale the training windows by alpha first."""


def els_circular(x, images, alpha, sigma, window):
    own = windows(x, window, "circular")
    patches = windows(images, window, "circular").reshape(-1, own.shape[-1])
    squares = ((own[..., None, :] - patches) ** 2).sum(axis=-1)
    return softmax_mean(-squares / (2 * sigma**2), images.reshape(-1, images.shape[-1]))
