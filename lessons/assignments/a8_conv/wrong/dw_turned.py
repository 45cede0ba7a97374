"""Your window is turned by 180 degrees: dw[s] pairs dout(u) with x(u + s), with the same offset as on the way
forwards."""


def conv_dw(dout, x, size):
    r, (_, rows, columns, channels) = size // 2, x.shape
    padded = np.pad(x, ((0, 0), (r, r), (r, r), (0, 0)))
    dw = np.empty((size, size, channels, dout.shape[-1]))
    for i, j in np.ndindex(size, size):
        dw[-1 - i, -1 - j] = np.einsum("bhwc,bhwd->cd", padded[:, i : i + rows, j : j + columns], dout)
    return dw
