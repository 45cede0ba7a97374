"""float32 comes back as float64: np.zeros is float64 unless you ask for the dtype of x."""


def els_zero(x, images, alpha, sigma, window):
    _, rows, columns, channels = images.shape
    own, patches = windows(x, window, "zero"), windows(images, window, "zero")
    out = np.zeros(x.shape)
    for i in range(rows):
        for j in range(columns):
            down = [p for p in range(rows) if alike(i, p, rows, window // 2)]
            right = [q for q in range(columns) if alike(j, q, columns, window // 2)]
            places = np.ix_(range(len(images)), down, right)
            squares = ((own[:, i, j, None] - alpha * patches[places].reshape(-1, own.shape[-1])) ** 2).sum(axis=-1)
            out[:, i, j] = softmax_mean(-squares / (2 * sigma**2), images[places].reshape(-1, channels))
    return out
