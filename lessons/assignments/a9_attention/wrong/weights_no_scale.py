"""The logits are not divided by the root of d."""


def weights(q, k):
    logits = q @ k.T
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)
