"""dk needs the transposed matrix: the gradient of q k^T in k is dlogits^T q."""


def attention_backward(dout, q, k, v):
    p = weights(q, k)
    dlogits = softmax_backward(dout @ v.T, p) / np.sqrt(q.shape[1])
    return dlogits @ k, dlogits @ q, p.T @ dout
