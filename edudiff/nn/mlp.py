"""A denoiser for points that can be anything: a multilayer perceptron, as small or as large as its width."""

import numpy as np

from edudiff.nn.condition import condition, condition_backward
from edudiff.nn.flat import FlatNet
from edudiff.nn.initial import Initial
from edudiff.nn.noise_level import EMBEDDINGS
from edudiff.nn.settings import even, positive, share, whole
from edudiff.nn.targets import TARGETS
from edudiff.support import checks

ACTIVATIONS = ("silu", "gelu", "relu")


class MLP(FlatNet):
    """Dense layers of `width` values on flat data (B, D): one in, `depth` residual ones, one out.

    The noise level and the class scale and shift the values of every layer, as in `ResNet`. `classes`: None, or how
    many. `dropout`: the share of values left out in training. `embedding`,
    `embedding_size`: see `edudiff.nn.noise_level`. `target`, `sigma_data`: see `edudiff.nn.targets`. `rng` draws the
    initial weights.
    """

    def __init__(
        self,
        dimensions,
        width=128,
        depth=3,
        *,
        classes=None,
        embedding="log_snr",
        target="edm",
        activation="silu",
        dropout=0.0,
        sigma_data=0.5,
        embedding_size=32,
        rng=None,
        dtype=np.float32,
        backend=None,
    ):
        config = {
            "dimensions": whole(dimensions, "dimensions"),
            "width": whole(width, "width"),
            "depth": whole(depth, "depth", least=0),
            "classes": None if classes is None else whole(classes, "classes"),
            "embedding": checks.one_of(embedding, EMBEDDINGS, "embedding"),
            "target": checks.one_of(target, TARGETS, "target"),
            "activation": checks.one_of(activation, ACTIVATIONS, "activation"),
            "dropout": share(dropout, "dropout"),
            "sigma_data": positive(sigma_data, "sigma_data"),
            "embedding_size": even(embedding_size, "embedding_size"),
        }
        make = Initial(rng, dtype)
        make.embedding(config, width)
        for name in self._blocks(config):
            make.layer(name, (dimensions if name == "in" else width, width))
            make.layer(f"{name}.cond", (width, 2 * width), 0.0)
        make.layer("out", (width, dimensions), 0.0)
        super().__init__(config, make.parameters, backend)

    def answer(self, x, alpha, sigma, labels=None, rng=None):
        """Through all layers: (B, D) -> (B, D), and the cache."""
        p, run, cache = self.parameters, self.layers, {}
        act = getattr(run, self.config["activation"])
        cond, cache["condition"] = condition(p, self.config, alpha, sigma, labels)  # (B, width)
        h = None
        for name in self._blocks(self.config):
            y, cache[name] = run.dense(x if h is None else h, p[f"{name}.w"], p[f"{name}.b"])  # (B, width)
            both, cache[f"{name}.cond"] = run.dense(cond, p[f"{name}.cond.w"], p[f"{name}.cond.b"])
            scale, shift = both[:, : both.shape[1] // 2], both[:, both.shape[1] // 2 :]  # (B, width) each
            y, cache[f"{name}.modulate"] = run.modulate(y, scale, shift)
            y, cache[f"{name}.act"] = act(y)
            y, cache[f"{name}.dropout"] = run.dropout(y, self.config["dropout"], rng)
            h = y if h is None else run.add(h, y)  # (B, width)
        out, cache["out"] = run.dense(h, p["out.w"], p["out.b"])  # (B, D)
        return out, cache

    def answer_backward(self, dout, cache, need_dx=False):
        """Gradients from the gradient in the answer (B, D)."""
        run, grads, dcond = self.layers, {}, 0.0
        act_backward = getattr(run, self.config["activation"] + "_backward")
        dh, grads["out.w"], grads["out.b"] = run.dense_backward(dout, cache["out"])  # (B, width)
        dx = None
        for name in reversed(self._blocks(self.config)):
            dy = run.dropout_backward(dh, cache[f"{name}.dropout"])
            dy = act_backward(dy, cache[f"{name}.act"])
            dy, *dboth = run.modulate_backward(dy, cache[f"{name}.modulate"])
            dboth, _ = run.concatenate(*dboth)  # (B, 2 * width)
            ds, grads[f"{name}.cond.w"], grads[f"{name}.cond.b"] = run.dense_backward(dboth, cache[f"{name}.cond"])
            dcond = dcond + ds  # (B, width), the condition speaks to every layer
            dx, grads[f"{name}.w"], grads[f"{name}.b"] = run.dense_backward(dy, cache[name])
            dh = None if name == "in" else run.add(dh, dx)  # 1. around the layer, 2. through it
        condition_backward(dcond, cache["condition"], grads)
        return grads, dx

    @staticmethod
    def _blocks(config):
        return ["in", *(f"block{i}" for i in range(config["depth"]))]
