"""One top for all pixels: where every logit is far below it, all weights underflow to 0; each pixel needs its own,
axis=1."""


def local(x, images, alpha, sigma, window):
    squares = ((x[:, None] - alpha * images) ** 2).sum(axis=-1)
    logits = box_sums(squares, window) / (-2 * sigma**2)
    weights = np.exp(logits - logits.max())
    return np.einsum("bnhw,nhwc->bhwc", weights / weights.sum(axis=1, keepdims=True), images)
