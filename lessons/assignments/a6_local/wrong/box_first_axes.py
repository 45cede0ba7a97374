"""You pad the first two axes: the picture is in the last two."""


def box_sums(a, window):
    r, rows, columns = window // 2, a.shape[0], a.shape[1]
    padded = np.pad(a, [(r, r), (r, r)] + [(0, 0)] * (a.ndim - 2))
    return sum(padded[i : i + rows, j : j + columns] for i in range(window) for j in range(window))
