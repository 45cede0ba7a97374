"""You return the place of the best size in the list: return the size."""


def calibrate(wanted, answers, sizes):
    wanted = wanted[:, None]
    lengths = np.sqrt((wanted**2).sum(axis=-1) * (answers**2).sum(axis=-1))
    return ((wanted * answers).sum(axis=-1) / lengths).mean(axis=2).argmax(axis=1).tolist()
