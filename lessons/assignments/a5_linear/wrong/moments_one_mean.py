"""You take one mean over all values: every coordinate has a mean of its own, axis=0."""


def moments(data):
    centered = data - data.mean()
    return np.full(data.shape[1], data.mean()), centered.T @ centered / len(data)
