"""You turn the window by 180 degrees, as mathematicians do: here out(u) sums x(u + s) w[s], not x(u - s) w[s]."""


def conv(x, w, b):
    size, (_, rows, columns, _) = len(w), x.shape
    r = size // 2
    padded = np.pad(x, ((0, 0), (r, r), (r, r), (0, 0)))
    return b + sum(
        padded[:, i : i + rows, j : j + columns] @ w[-1 - i, -1 - j] for i in range(size) for j in range(size)
    )
