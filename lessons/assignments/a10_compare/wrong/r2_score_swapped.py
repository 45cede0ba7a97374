"""The spread is that of the prediction: the truth belongs below the line, R^2 is not symmetric."""


def r2_score(truth, prediction):
    truth, prediction = (x.reshape(len(x), -1) for x in (truth, prediction))
    spread = ((prediction - prediction.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    return 1 - ((truth - prediction) ** 2).sum(axis=1) / spread
