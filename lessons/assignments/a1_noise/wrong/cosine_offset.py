"""You add an offset to the time, as Nichol and Dhariwal do: here the time is only divided by stretch, so that t = 0
is the clean picture."""


def cosine(t, stretch=1.008):
    angle = np.pi / 2 * (np.asarray(t) + stretch - 1) / stretch
    return np.cos(angle), np.sin(angle)
