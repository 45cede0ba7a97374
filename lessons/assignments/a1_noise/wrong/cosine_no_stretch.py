"""The argument stretch is not used: divide the time by it, or the last step has no signal at all."""


def cosine(t, stretch=1.008):
    angle = np.pi / 2 * np.asarray(t)
    return np.cos(angle), np.sin(angle)
