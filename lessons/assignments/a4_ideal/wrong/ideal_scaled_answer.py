"""You average alpha times the pictures: the distances need alpha, but the answer is a mean of clean pictures."""


def ideal(x, data, alpha, sigma):
    difference = x[:, None] - alpha * data
    return softmax(-(difference**2).sum(axis=-1) / (2 * sigma**2)) @ (alpha * data)
