"""You keep the window that is least alike: a cosine of 1 is the best, so take argmax."""


def calibrate(wanted, answers, windows):
    wanted = wanted[:, None]
    lengths = np.sqrt((wanted**2).sum(axis=-1) * (answers**2).sum(axis=-1))
    return [windows[j] for j in ((wanted * answers).sum(axis=-1) / lengths).mean(axis=2).argmin(axis=1)]
