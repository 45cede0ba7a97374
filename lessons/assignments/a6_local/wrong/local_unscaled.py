"""You compare the noisy picture with the clean ones: scale the training pictures by alpha first."""


def local(x, images, alpha, sigma, window):
    squares = ((x[:, None] - images) ** 2).sum(axis=-1)
    logits = box_sums(squares, window) / (-2 * sigma**2)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.einsum("bnhw,nhwc->bhwc", weights / weights.sum(axis=1, keepdims=True), images)
