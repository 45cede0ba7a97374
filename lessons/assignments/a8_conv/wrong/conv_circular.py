"""Your picture goes on at its other side: beyond the border there are zeros."""


def conv(x, w, b):
    size, (_, rows, columns, _) = len(w), x.shape
    r = size // 2
    padded = np.pad(x, ((0, 0), (r, r), (r, r), (0, 0)), mode="wrap")
    return b + sum(padded[:, i : i + rows, j : j + columns] @ w[i, j] for i in range(size) for j in range(size))
