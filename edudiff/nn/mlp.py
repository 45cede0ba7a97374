"""A denoiser for points that can be anything: a multilayer perceptron, as small or as large as its width."""

from dataclasses import dataclass
from typing import Any

from edudiff.nn.block import block, block_backward, block_parameters, condition_parameters
from edudiff.nn.config import ConditionedConfig, FlatConfig
from edudiff.nn.initial import Initial
from edudiff.nn.net import FlatNet
from edudiff.nn.noise_level import condition, condition_backward
from edudiff.support.settings import setting, with_default
from edudiff.support.types import Array, Arrays, Rng


@dataclass(frozen=True, repr=False)
class MLPConfig(FlatConfig, ConditionedConfig):
    """The settings of `MLP`."""

    width: int = setting(128, "values of every layer", least=1)
    depth: int = setting(3, "residual layers", least=0)
    embedding_size: int = with_default(ConditionedConfig, "embedding_size", 32)


class MLP(FlatNet):
    """Dense layers of `width` values on flat data (B, D): one in, `depth` residual ones, one out.

    The noise level and the class scale and shift the values of every layer, as in `ResNet`.
    """

    config: MLPConfig

    def initial(self, make: Initial) -> None:
        """He et al. 2015 weights; the last layer and what the condition does start at zero."""
        d, width = self.config.dimensions, self.config.width
        condition_parameters(make, self.config, width)
        block_parameters(make, "in", (d, width), width)
        for i in range(self.config.depth):
            block_parameters(make, f"block{i}", (width, width), width)
        make.layer("out", (width, d), 0.0)

    def answer(self, x: Array, c_noise: Array, labels: Array | None = None, rng: Rng = None) -> tuple[Array, Any]:
        """Through all layers: (B, D) -> (B, D), and the cache."""
        p, run, cache = self.parameters, self.layers, {}
        cond, cache["condition"] = condition(p, self.config, c_noise, labels)  # (B, width)
        h, cache["in"] = block(self, "in", x, cond, rng)  # (B, width)
        for i in range(self.config.depth):
            y, cache[f"block{i}"] = block(self, f"block{i}", h, cond, rng)  # (B, width)
            h = run.add(h, y)  # (B, width)
        out, cache["out"] = run.dense(h, p["out.w"], p["out.b"])  # (B, D)
        return out, cache

    def answer_backward(self, dout: Array, cache: Any, need_dx: bool = False) -> tuple[Arrays, Array | None]:
        """Gradients from the gradient in the answer (B, D)."""
        run, grads = self.layers, {}
        dh, grads["out.w"], grads["out.b"] = run.dense_backward(dout, cache["out"])  # (B, width)
        dcond: Any = 0.0
        for i in reversed(range(self.config.depth)):
            dx, ds = block_backward(self, f"block{i}", dh, cache[f"block{i}"], grads)
            dcond = dcond + ds  # (B, width), the condition speaks to every layer
            dh = run.add(dh, dx)  # 1. around the layer, 2. through it
        dx, ds = block_backward(self, "in", dh, cache["in"], grads)  # (B, D)
        condition_backward(dcond + ds, cache["condition"], grads)
        return grads, dx
