"""Your picture goes on at its other side: beyond the border there are zeros, on the way back too."""


def conv_dw(dout, x, size):
    r, (_, rows, columns, channels) = size // 2, x.shape
    padded = np.pad(x, ((0, 0), (r, r), (r, r), (0, 0)), mode="wrap")
    dw = np.empty((size, size, channels, dout.shape[-1]))
    for i, j in np.ndindex(size, size):
        dw[i, j] = np.einsum("bhwc,bhwd->cd", padded[:, i : i + rows, j : j + columns], dout)
    return dw
