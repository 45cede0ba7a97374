"""Your window is always 3 x 3: take the size from w."""


def conv(x, w, b):
    _, rows, columns, _ = x.shape
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return b + sum(padded[:, i : i + rows, j : j + columns] @ w[i, j] for i in range(3) for j in range(3))
