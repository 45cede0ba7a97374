"""You make both vectors as long as 1 and leave them so: use that for the angle alone."""


def slerp(a, b, share):
    a = a / np.linalg.norm(a, axis=1, keepdims=True)
    b = b / np.linalg.norm(b, axis=1, keepdims=True)
    angle = np.arccos((a * b).sum(1, keepdims=True))
    return (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
