"""You cut off at 0: a prediction that is worse than a constant has a negative R^2, and that is worth knowing."""


def r2_score(truth, prediction):
    truth, prediction = (x.reshape(len(x), -1) for x in (truth, prediction))
    spread = ((truth - truth.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    return np.maximum(0, 1 - ((truth - prediction) ** 2).sum(axis=1) / spread)
