"""You compare x with the clean pictures: what the noise was added to is alpha times the picture."""


def ideal(x, data, alpha, sigma):
    difference = x[:, None] - data
    return softmax(-(difference**2).sum(axis=-1) / (2 * sigma**2)) @ data
