"""You compare single pixels: the distance is added over the window of each pixel by box_sums."""


def local(x, images, alpha, sigma, window):
    logits = ((x[:, None] - alpha * images) ** 2).sum(axis=-1) / (-2 * sigma**2)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.einsum("bnhw,nhwc->bhwc", weights / weights.sum(axis=1, keepdims=True), images)
