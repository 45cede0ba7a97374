"""You take one mean and one sum over the whole batch: every picture has its own R^2."""


def r2_score(truth, prediction):
    value = 1 - ((truth - prediction) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()
    return np.full(len(truth), value)
