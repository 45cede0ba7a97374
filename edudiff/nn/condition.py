"""What steers every block of a network: one vector a picture, made of its noise level and its class."""

from edudiff.nn import layers
from edudiff.nn.noise_level import features


def condition(p, config, alpha, sigma, labels):
    """The vector of each item, silu(dense(noise-level embedding) + class vector): (B, S), and the cache.

    `p`: parameters "embedding.w", "embedding.b" and with classes "class.table", whose last row is the null class.
    """
    embedding = features(alpha, sigma, config["embedding_size"], config["embedding"])  # (B, embedding_size)
    vector, cache_embedding = layers.dense(embedding, p["embedding.w"], p["embedding.b"])  # (B, S)
    cache_class = None
    if labels is not None:
        of_class, cache_class = layers.embed(labels, p["class.table"])  # (B, S)
        vector = layers.add(vector, of_class)
    vector, cache_act = layers.silu(vector)  # (B, S)
    return vector, (cache_embedding, cache_class, cache_act)


def condition_backward(dvector, cache, gradients):
    """From the gradient in the vectors (B, S): writes those of the parameters into the dict `gradients`."""
    cache_embedding, cache_class, cache_act = cache
    dvector = layers.silu_backward(dvector, cache_act)  # (B, S)
    if cache_class is not None:
        gradients["class.table"] = layers.embed_backward(dvector, cache_class)
    _, gradients["embedding.w"], gradients["embedding.b"] = layers.dense_backward(dvector, cache_embedding)
