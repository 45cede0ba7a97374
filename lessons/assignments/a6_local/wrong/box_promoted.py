"""float32 comes back as float64: np.zeros is float64 unless you ask for the dtype of a."""


def box_sums(a, window):
    r, (rows, columns) = window // 2, a.shape[-2:]
    out = np.zeros(a.shape)
    for i in range(-r, r + 1):
        for j in range(-r, r + 1):
            down, right = max(0, i), max(0, j)
            piece = a[..., max(0, -i) : max(0, rows - down), max(0, -j) : max(0, columns - right)]
            out[..., down:rows, right:columns][..., : piece.shape[-2], : piece.shape[-1]] += piece
    return out
