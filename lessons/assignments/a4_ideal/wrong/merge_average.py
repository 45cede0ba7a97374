"""You average the answers of the pieces: a piece whose pictures are all unlikely must hardly count, and here it
counts for half."""


def merge(a, b):
    top = np.maximum(a[0], b[0])
    num = (a[1] / a[2][:, None] + b[1] / b[2][:, None]) / 2
    return top, num, np.ones_like(top)
