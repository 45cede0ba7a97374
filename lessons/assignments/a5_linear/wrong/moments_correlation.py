"""This is the correlation matrix, with ones on the diagonal: the covariance keeps the scale of each coordinate."""


def moments(data):
    mean = data.mean(axis=0)
    scaled = (data - mean) / data.std(axis=0)
    return mean, scaled.T @ scaled / len(data)
