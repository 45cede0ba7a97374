"""You take one mean over all values: every coordinate has a mean of its own, axis=0."""


def moments(data):
    centred = data - data.mean()
    return np.full(data.shape[1], data.mean()), centred.T @ centred / len(data)
