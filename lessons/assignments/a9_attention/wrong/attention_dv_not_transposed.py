"""dv needs the transposed weights: what place s says went to all places t that listened, P^T dout."""


def attention_backward(dout, q, k, v):
    p = weights(q, k)
    dlogits = softmax_backward(dout @ v.T, p) / np.sqrt(q.shape[1])
    return dlogits @ k, dlogits.T @ q, p @ dout
