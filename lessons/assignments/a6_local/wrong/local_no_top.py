"""You take no largest logit out: far from all pictures every exp is 0, and 0 / 0 is NaN. Subtract each pixel's largest
logit, axis=1."""


def local(x, images, alpha, sigma, window):
    squares = ((x[:, None] - alpha * images) ** 2).sum(axis=-1)
    weights = np.exp(box_sums(squares, window) / (-2 * sigma**2))
    return np.einsum("bnhw,nhwc->bhwc", weights / weights.sum(axis=1, keepdims=True), images)
