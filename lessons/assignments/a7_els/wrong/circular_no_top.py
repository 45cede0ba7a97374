"""You take no largest logit out: far from all windows every exp is 0, and 0 / 0 is NaN. softmax_mean does it for
you."""


def els_circular(x, images, alpha, sigma, window):
    own = windows(x, window, "circular")
    patches = windows(images, window, "circular").reshape(-1, own.shape[-1])
    weights = np.exp(-((own[..., None, :] - alpha * patches) ** 2).sum(axis=-1) / (2 * sigma**2))
    return weights @ images.reshape(-1, images.shape[-1]) / weights.sum(axis=-1, keepdims=True)
