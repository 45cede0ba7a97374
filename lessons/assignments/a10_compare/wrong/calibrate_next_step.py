"""Every window is one step off: what is read off at step i belongs to step i."""


def calibrate(wanted, answers, windows):
    wanted = wanted[:, None]
    lengths = np.sqrt((wanted**2).sum(axis=-1) * (answers**2).sum(axis=-1))
    best = ((wanted * answers).sum(axis=-1) / lengths).mean(axis=2).argmax(axis=1)
    return [windows[j] for j in np.roll(best, -1)]
