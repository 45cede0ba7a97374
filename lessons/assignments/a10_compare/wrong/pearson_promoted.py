"""float32 pictures get a float64 correlation, which is what np.corrcoef and np.array of numbers make: answer in the
dtype of the pictures."""


def pearson_r(a, b):
    return np.array([np.corrcoef(x.ravel(), y.ravel())[0, 1] for x, y in zip(a, b)], dtype=float)
