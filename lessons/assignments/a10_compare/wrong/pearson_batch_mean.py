"""You take off the mean picture of the batch: the mean of a picture is one number, over its pixels and channels."""


def pearson_r(a, b):
    a, b = (x.reshape(len(x), -1) for x in (a, b))
    a, b = (x - x.mean(axis=0) for x in (a, b))
    return (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
