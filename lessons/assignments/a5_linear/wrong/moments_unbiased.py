"""You divide by N - 1: that corrects a sample, and here the training set is the whole law, so divide by N."""


def moments(data):
    mean = data.mean(axis=0)
    centered = data - mean
    return mean, centered.T @ centered / (len(data) - 1)
