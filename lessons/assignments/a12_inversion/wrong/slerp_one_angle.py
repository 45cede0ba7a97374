"""You take one angle for the whole batch: each item has its own."""


def slerp(a, b, share):
    angle = np.arccos((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))
    return (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
