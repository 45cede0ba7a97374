"""Only the second piece is rescaled: if its top is the larger one, the first piece needs it."""


def merge(a, b):
    top, scale = a[0], np.exp(b[0] - a[0])
    return top, a[1] + scale[:, None] * b[1], a[2] + scale * b[2]
