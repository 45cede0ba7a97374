"""You take the mean off each channel: a picture has one mean, over all pixels and channels."""


def pearson_r(a, b):
    axes = tuple(range(1, a.ndim - 1)) or (1,)
    a, b = ((x - x.mean(axis=axes, keepdims=True)).reshape(len(x), -1) for x in (a, b))
    return (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
