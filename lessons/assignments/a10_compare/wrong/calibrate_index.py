"""You return the place of the best window in the list: return the window."""


def calibrate(wanted, answers, windows):
    wanted = wanted[:, None]
    lengths = np.sqrt((wanted**2).sum(axis=-1) * (answers**2).sum(axis=-1))
    return ((wanted * answers).sum(axis=-1) / lengths).mean(axis=2).argmax(axis=1).tolist()
