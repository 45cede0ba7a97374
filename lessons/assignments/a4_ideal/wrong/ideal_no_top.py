"""Your weights are exps of the logits as they are: far from all pictures every exp is 0, and 0 / 0 is NaN. Use your
softmax, which subtracts the largest logit first."""


def ideal(x, data, alpha, sigma):
    weights = np.exp(-((x[:, None] - alpha * data) ** 2).sum(axis=-1) / (2 * sigma**2))
    return weights @ data / weights.sum(axis=1, keepdims=True)
