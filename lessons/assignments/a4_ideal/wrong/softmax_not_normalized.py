"""The largest weight is 1, but the sum is not: divide by the sum of the weights."""


def softmax(logits):
    return np.exp(logits - logits.max(axis=-1, keepdims=True))
