"""You divide by N - 1: that corrects a sample, and here the training set is the whole law, so divide by N."""


def moments(data):
    mean = data.mean(axis=0)
    centred = data - mean
    return mean, centred.T @ centred / (len(data) - 1)
