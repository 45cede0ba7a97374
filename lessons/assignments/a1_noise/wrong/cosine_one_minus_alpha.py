"""sigma is not 1 - alpha: the squares of alpha and sigma add up to 1, not the numbers themselves."""


def cosine(t, stretch=1.008):
    alpha = np.cos(np.pi / 2 * np.asarray(t) / stretch)
    return alpha, 1 - alpha
