"""Your arc leads from b to a: at share 0 it is a."""


def slerp(a, b, share):
    angle = np.arccos((a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1)))[:, None]
    return (np.sin(share * angle) * a + np.sin((1 - share) * angle) * b) / np.sin(angle)
