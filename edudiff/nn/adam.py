"""Adam, the learning rate's course, and the moving average of the weights: small rules on dicts of arrays."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from edudiff.support import rounding
from edudiff.support.arrays import array_namespace, move
from edudiff.support.types import Array, Arrays


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1): a step of size about `rate` along the gradient's running mean.

    `m`, `v`: running means of the gradient and of its square, dicts of arrays like the parameters. `beta2`: what v
    keeps at each step; .99 remembers about 100 steps, the paper's .999 about 1,000, much of the trainings here.
    `weight_decay`: each step also shrinks every parameter by the factor 1 - rate * weight_decay, beside the gradient
    and not through it; with it this is AdamW (Loshchilov & Hutter 2019, algorithm 2).
    """

    def __init__(
        self,
        parameters: Arrays,
        beta1: float = 0.9,
        beta2: float = 0.99,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        self.beta1, self.beta2, self.epsilon, self.weight_decay = beta1, beta2, epsilon, weight_decay
        self.count = 0
        self.m = {name: 0 * value for name, value in parameters.items()}
        self.v = {name: 0 * value for name, value in parameters.items()}

    @rounding.to_zero
    def step(self, parameters: Arrays, gradients: Arrays, rate: float) -> None:
        """Update `parameters` in place. `gradients`: a dict with the same names and shapes. `rate`: a number."""
        self.count += 1
        unbias_m = 1 - self.beta1**self.count
        unbias_v = 1 - self.beta2**self.count
        for p, m, v, gradient in in_one([parameters, self.m, self.v], [gradients]):
            xp = array_namespace(gradient)
            m += (1 - self.beta1) * (gradient - m)
            v += (1 - self.beta2) * (gradient**2 - v)
            if self.weight_decay:
                p *= 1 - rate * self.weight_decay
            p -= rate * (m / unbias_m) / (xp.sqrt(v / unbias_v) + self.epsilon)

    def to(self, like: Array) -> "Adam":
        """A copy whose running means live where the array `like` lives."""
        other = Adam({}, self.beta1, self.beta2, self.epsilon, self.weight_decay)
        other.count = self.count
        other.m, other.v = ({name: move(value, like) for name, value in d.items()} for d in (self.m, self.v))
        return other

    def __repr__(self) -> str:
        settings = ("beta1", "beta2", "epsilon", "weight_decay", "count")
        said = ", ".join(f"{name}={getattr(self, name):g}" for name in settings)
        return f"Adam({said}, parameters={sum(value.size for value in self.m.values()):,})"


def learning_rate(step: int, steps: int, peak: float, warmup: int, decay: str | float = "cosine") -> float:
    """Rate of step 0, 1, ... of `steps`: a straight rise to `peak` over `warmup` steps, then a fall.

    `decay`: "cosine", half a cosine down to zero; or a factor for each step, such as the 0.999965 of Kamb & Ganguli
    2024, which halves the rate in 20,000 steps; 1 leaves it at its peak.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    if decay == "cosine":
        return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
    return peak * float(decay) ** (step - warmup)


@rounding.to_zero
def gradient_norm(gradients: Arrays) -> Any:
    """The length of all gradients as one long vector, not finite if one of their values is not.

    A float; on a GPU an array of no dimensions, which nobody has waited for.
    """
    squares: Any = sum((gradient * gradient).sum() for (gradient,) in in_one([], [gradients]))
    xp = array_namespace(*gradients.values())
    return math.sqrt(float(squares)) if xp is np else xp.sqrt(squares)


@rounding.to_zero
def clip(gradients: Arrays, norm: Any, most: float) -> Arrays:
    """The gradients, of length `norm`, shortened to the length `most` if they are longer (Pascanu et al. 2013).

    `norm`: as `gradient_norm` gives it.
    """
    if isinstance(norm, float):
        return gradients if norm <= most else {name: gradient * (most / norm) for name, gradient in gradients.items()}
    factor = array_namespace(norm).minimum(most / norm, 1.0)  # ()
    return {name: gradient * factor for name, gradient in gradients.items()}


@rounding.to_zero
def update_ema(ema: Arrays, parameters: Arrays, decay: float, step: int) -> None:
    """Exponential moving average of the weights, in place; young ones forget faster: min(decay, (1 + n) / (10 + n))."""
    keep = min(decay, (1 + step) / (10 + step))
    for average, value in in_one([ema], [parameters]):
        average += (1 - keep) * (value - average)


def in_one(written: Sequence[Arrays], read: Sequence[Arrays] = ()) -> Iterator[list[Array]]:
    """For each name, its arrays in all the dicts, to be worked on in place; on a GPU, once, all names end to end.

    There each small sum costs as much as starting it. Of the dicts in `written`, the arrays are then new ones.
    """
    dicts = [*written, *read]
    names = list(dicts[0])
    xp = array_namespace(*dicts[0].values())
    if xp is np:
        yield from ([arrays[name] for arrays in dicts] for name in names)
        return
    wholes = [xp.concatenate([arrays[name].ravel() for name in names]) for arrays in dicts]  # (P,) each
    yield wholes
    for arrays, whole in zip(written, wholes, strict=False):
        first = 0
        for name in names:
            shape, size = arrays[name].shape, arrays[name].size
            arrays[name], first = whole[first : first + size].reshape(shape), first + size
