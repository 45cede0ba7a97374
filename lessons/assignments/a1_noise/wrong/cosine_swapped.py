"""alpha and sigma have changed places: at t = 0 there is only picture, so alpha is 1 and sigma 0."""


def cosine(t, stretch=1.008):
    angle = np.pi / 2 * np.asarray(t) / stretch
    return np.sin(angle), np.cos(angle)
