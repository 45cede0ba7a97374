"""You return alpha squared ("alpha bar" of the papers): alpha is the number that multiplies the picture, the cosine
itself."""


def cosine(t, stretch=1.008):
    angle = np.pi / 2 * np.asarray(t) / stretch
    return np.cos(angle) ** 2, np.sin(angle) ** 2
