"""You add the bias once for every offset: add it once for every pixel."""


def conv(x, w, b):
    size, (_, rows, columns, _) = len(w), x.shape
    r = size // 2
    padded = np.pad(x, ((0, 0), (r, r), (r, r), (0, 0)))
    return sum(padded[:, i : i + rows, j : j + columns] @ w[i, j] + b for i in range(size) for j in range(size))
