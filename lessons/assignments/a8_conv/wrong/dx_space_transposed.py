"""You exchange rows and columns of the window: turning by 180 degrees reverses both axes and exchanges none."""


def conv_dx(dout, w):
    return conv(dout, w.transpose(1, 0, 3, 2), np.zeros(w.shape[2]))
