"""float32 comes back as float64: np.sqrt of a plain number is a float64 of NumPy, which lifts arrays; write d ** 0.5 or
math.sqrt(d)."""


def weights(q, k):
    logits = (q @ k.T).astype(float) / np.sqrt(q.shape[1])
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)
