"""You compare windows at the same place only, which is the local score: all places are candidates."""


def els_circular(x, images, alpha, sigma, window):
    own, patches = windows(x, window, "circular"), windows(images, window, "circular")
    squares = ((own[:, None] - alpha * patches) ** 2).sum(axis=-1)
    logits = -squares / (2 * sigma**2)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.einsum("bnhw,nhwc->bhwc", weights / weights.sum(axis=1, keepdims=True), images)
