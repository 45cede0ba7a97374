"""You forget to divide by the sine of the angle: the ends come out too short."""


def slerp(a, b, share):
    angle = np.arccos((a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1)))[:, None]
    return np.sin((1 - share) * angle) * a + np.sin(share * angle) * b
