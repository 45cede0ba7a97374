"""Your windows wrap around the picture: with zero padding they see zeros there."""


def els_zero(x, images, alpha, sigma, window):
    _, rows, columns, channels = images.shape
    own, patches, r = windows(x, window, "circular"), windows(images, window, "circular"), window // 2
    out = np.empty_like(x)
    for i in range(rows):
        for j in range(columns):
            down = [p for p in range(rows) if alike(i, p, rows, r)]
            right = [q for q in range(columns) if alike(j, q, columns, r)]
            places = np.ix_(range(len(images)), down, right)
            squares = ((own[:, i, j, None] - alpha * patches[places].reshape(-1, own.shape[-1])) ** 2).sum(axis=-1)
            out[:, i, j] = softmax_mean(-squares / (2 * sigma**2), images[places].reshape(-1, channels))
    return out
