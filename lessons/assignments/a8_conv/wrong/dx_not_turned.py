"""The window is not turned: x(v) takes part in out(v - s), so the offsets change sign."""


def conv_dx(dout, w):
    return conv(dout, w.swapaxes(2, 3), np.zeros(w.shape[2]))
