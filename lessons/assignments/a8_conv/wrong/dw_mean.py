"""You take the mean over the batch: gradients of all pictures add, and a mean in the loss is in dout already."""


def conv_dw(dout, x, size):
    r, (_, rows, columns, channels) = size // 2, x.shape
    padded = np.pad(x, ((0, 0), (r, r), (r, r), (0, 0)))
    dw = np.empty((size, size, channels, dout.shape[-1]))
    for i, j in np.ndindex(size, size):
        dw[i, j] = np.einsum("bhwc,bhwd->cd", padded[:, i : i + rows, j : j + columns], dout) / len(x)
    return dw
