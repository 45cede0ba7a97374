"""Only the last picture of the batch is left: add the gradients of all of them, += instead of =."""


def conv_dw(dout, x, size):
    r, (_, rows, columns, channels) = size // 2, x.shape
    padded = np.pad(x, ((0, 0), (r, r), (r, r), (0, 0)))
    dw = np.empty((size, size, channels, dout.shape[-1]))
    for i, j in np.ndindex(size, size):
        for b in range(len(x)):
            dw[i, j] = np.einsum("hwc,hwd->cd", padded[b, i : i + rows, j : j + columns], dout[b])
    return dw
