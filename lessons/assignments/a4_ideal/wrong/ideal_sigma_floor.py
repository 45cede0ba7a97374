"""You keep sigma above a floor: pictures that are closer to each other than that can no longer be told apart.
Subtracting the largest logit is all the protection that is needed."""


def ideal(x, data, alpha, sigma):
    difference = x[:, None] - alpha * data
    return softmax(-(difference**2).sum(axis=-1) / (2 * max(sigma, 0.01) ** 2)) @ data
