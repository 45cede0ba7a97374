"""What steers every block of a network: one vector a picture, made of its noise level and its class."""

from edudiff.nn import layers
from edudiff.nn.clock import features


def condition(p, config, alpha, sigma, labels):
    """The vector of each item, silu(dense(clock features) + class vector): (B, S), and the cache.

    `p`: parameters "clock.w", "clock.b" and with classes "class.table", whose last row is the null class.
    """
    clock = features(alpha, sigma, config["clock_size"], config["clock"])  # (B, clock_size)
    vector, cache_clock = layers.dense(clock, p["clock.w"], p["clock.b"])  # (B, S)
    cache_class = None
    if labels is not None:
        of_class, cache_class = layers.embed(labels, p["class.table"])  # (B, S)
        vector = layers.add(vector, of_class)
    vector, cache_act = layers.silu(vector)  # (B, S)
    return vector, (cache_clock, cache_class, cache_act)


def condition_backward(dvector, cache, gradients):
    """From the gradient in the vectors (B, S): writes those of the parameters into the dict `gradients`."""
    cache_clock, cache_class, cache_act = cache
    dvector = layers.silu_backward(dvector, cache_act)  # (B, S)
    if cache_class is not None:
        gradients["class.table"] = layers.embed_backward(dvector, cache_class)
    _, gradients["clock.w"], gradients["clock.b"] = layers.dense_backward(dvector, cache_clock)
