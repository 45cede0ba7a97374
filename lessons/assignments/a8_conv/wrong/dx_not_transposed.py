"""The matrices are not transposed: dout has features and dx channels, so each w[s] is needed as w[s]^T."""


def conv_dx(dout, w):
    return conv(dout, w[::-1, ::-1], np.zeros(w.shape[3]))
