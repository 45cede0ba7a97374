"""The trained twin of principal components: a linear network with a bottleneck of k values."""

import numpy as np

from edudiff.nn.flat import FlatNet
from edudiff.nn.initial import Initial
from edudiff.nn.noise_level import shares
from edudiff.nn.settings import positive, whole
from edudiff.nn.targets import TARGETS
from edudiff.support import checks


class Bottleneck(FlatNet):
    """answer = (x @ encode.w + encode.b) @ decode.w + decode.b, on flat data (B, D), with a code of `k` values.

    The decoder is one for all noise levels, the encoder another at each of `levels` (as in `Linear`). So the answer
    lies on one k-dimensional plane. What that keeps depends on the target: with "x0" the best plane holds the k
    principal components of the data with the largest variance, with "eps" those with the smallest.
    Other settings as `Linear`; `rng` draws the initial weights.
    """

    def __init__(
        self,
        dimensions,
        k,
        *,
        levels=32,
        target="x0",
        sigma_data=0.5,
        rng=None,
        dtype=np.float32,
        backend=None,
    ):
        config = {
            "dimensions": whole(dimensions, "dimensions"),
            "k": whole(k, "k"),
            "levels": whole(levels, "levels"),
            "target": checks.one_of(target, TARGETS, "target"),
            "sigma_data": positive(sigma_data, "sigma_data"),
        }
        d, count = config["dimensions"], config["levels"]
        if config["k"] > d:
            raise ValueError(f"k is {k}, expected at most the {d} dimensions of the data")
        make = Initial(rng, dtype)
        make.normal("encode.w", (count, d, config["k"]), d**-0.5)
        make.constant("encode.b", (count, config["k"]), 0.0)
        make.layer("decode", (config["k"], d), 1.0)
        super().__init__(config, make.parameters, backend)

    def answer(self, x, alpha, sigma, labels=None, rng=None):
        """Through the bottleneck: (B, D) -> (B, k) -> (B, D), and the cache."""
        p, run = self.parameters, self.layers
        share = shares(alpha, sigma, self.config["levels"])  # (B, K)
        code, cache_encode = run.dense_at_level(x, p["encode.w"], p["encode.b"], share)  # (B, k)
        out, cache_decode = run.dense(code, p["decode.w"], p["decode.b"])  # (B, D)
        return out, (cache_encode, cache_decode)

    def answer_backward(self, dout, cache, need_dx=False):
        """Gradients from the gradient in the answer (B, D)."""
        run, gradients = self.layers, {}
        cache_encode, cache_decode = cache
        dcode, gradients["decode.w"], gradients["decode.b"] = run.dense_backward(dout, cache_decode)  # (B, k)
        dx, gradients["encode.w"], gradients["encode.b"] = run.dense_at_level_backward(dcode, cache_encode)
        return gradients, dx
