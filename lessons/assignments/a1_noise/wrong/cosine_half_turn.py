"""Your angle reaches 180 degrees at t = 1; a quarter turn, pi / 2, takes the picture to pure noise."""


def cosine(t, stretch=1.008):
    angle = np.pi * np.asarray(t) / stretch
    return np.cos(angle), np.sin(angle)
