"""You go from the weights to the logits as if the softmax were not there: its backward lies between them."""


def attention_backward(dout, q, k, v):
    p = weights(q, k)
    dlogits = dout @ v.T / np.sqrt(q.shape[1])
    return dlogits @ k, dlogits.T @ q, p.T @ dout
