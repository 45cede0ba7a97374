"""You take the mean of the window: the exponent of a Gaussian needs the sum."""


def box_sums(a, size):
    r, (rows, columns) = size // 2, a.shape[-2:]
    padded = np.pad(a, [(0, 0)] * (a.ndim - 2) + [(r, r), (r, r)])
    return sum(padded[..., i : i + rows, j : j + columns] for i in range(size) for j in range(size)) / size**2
