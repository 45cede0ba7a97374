"""This is the cosine of the pictures themselves: take each picture's mean off first."""


def pearson_r(a, b):
    a, b = (x.reshape(len(x), -1) for x in (a, b))
    return (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
