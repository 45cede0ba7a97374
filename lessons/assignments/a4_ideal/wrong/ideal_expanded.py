"""You expand the square into |x|^2 - 2 x.y + |y|^2: with little noise the difference of these large numbers is mostly
rounding error, so subtract first and square afterwards."""


def ideal(x, data, alpha, sigma):
    y = alpha * data
    squares = (x**2).sum(axis=1)[:, None] - 2 * x @ y.T + (y**2).sum(axis=1)
    return softmax(-squares / (2 * sigma**2)) @ data
