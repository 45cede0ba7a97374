"""This is the share of the variance that is left: R^2 is one minus it."""


def r2_score(truth, prediction):
    truth, prediction = (x.reshape(len(x), -1) for x in (truth, prediction))
    spread = ((truth - truth.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    return ((truth - prediction) ** 2).sum(axis=1) / spread
