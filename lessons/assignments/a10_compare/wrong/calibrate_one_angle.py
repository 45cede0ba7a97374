"""You take one cosine over the whole batch: every picture has a cosine of its own, and their mean decides."""


def calibrate(wanted, answers, windows):
    wanted = wanted[:, None]
    lengths = np.sqrt((wanted**2).sum(axis=(2, 3)) * (answers**2).sum(axis=(2, 3)))
    return [windows[j] for j in ((wanted * answers).sum(axis=(2, 3)) / lengths).argmax(axis=1)]
