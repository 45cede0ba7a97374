"""You return the nearest picture: that is the limit of no noise, in general the answer is a mean weighted by
softmax."""


def ideal(x, data, alpha, sigma):
    difference = x[:, None] - alpha * data
    return data[(difference**2).sum(axis=-1).argmin(axis=1)]
