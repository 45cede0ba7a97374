"""At the border you compare the same place only: along an edge all places that are alike are candidates, a corner
alone is by itself."""


def els_zero(x, images, alpha, sigma, window):
    _, rows, columns, channels = images.shape
    own, patches, r = windows(x, window, "zero"), windows(images, window, "zero"), window // 2
    out = np.empty_like(x)
    for i in range(rows):
        for j in range(columns):
            inside = r <= i < rows - r and r <= j < columns - r
            places = (slice(None), slice(r, rows - r), slice(r, columns - r)) if inside else (slice(None), [i], [j])
            candidates = patches[places].reshape(-1, own.shape[-1])
            squares = ((own[:, i, j, None] - alpha * candidates) ** 2).sum(axis=-1)
            out[:, i, j] = softmax_mean(-squares / (2 * sigma**2), images[places].reshape(-1, channels))
    return out
