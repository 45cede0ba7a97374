"""float32 times come back as float64 scales: leave the dtype of t as it is."""


def cosine(t, stretch=1.008):
    angle = np.pi / 2 * np.asarray(t, dtype=float) / stretch
    return np.cos(angle), np.sin(angle)
