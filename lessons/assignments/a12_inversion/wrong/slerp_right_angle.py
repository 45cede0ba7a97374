"""You take the angle for a right one: it is so only nearly, and only in many dimensions."""


def slerp(a, b, share):
    return (np.cos(share * np.pi / 2) * a + np.sin(share * np.pi / 2) * b).astype(a.dtype)
