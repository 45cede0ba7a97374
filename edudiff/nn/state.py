"""Where a training run stands."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edudiff.nn.adam import Adam, learning_rate
from edudiff.support.arrays import move


@dataclass
class State:
    """Where a training run stands after `step` steps; all that is needed to go on, bit for bit.

    `net`: the network being trained. `ema`: the same architecture with averaged weights: draw with this one.
    `loss`: of the last step. `losses`, `norms`: of all steps, the latter the length of the gradient; see
    `edudiff.plot.history`. `rng`: where the random numbers stand. `seconds`: spent on them. `saved`: where its last
    checkpoint is, and of which step, in words.
    """

    net: Any
    ema: Any
    adam: Adam
    rng: np.random.Generator
    step: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    norms: list[float] = field(default_factory=list)
    saved: str = ""

    def to(self, like):
        """A copy whose networks and Adam live where the array `like` lives."""
        adam = Adam({})
        adam.__dict__ |= vars(self.adam)
        adam.m, adam.v = ({name: move(value, like) for name, value in d.items()} for d in (self.adam.m, self.adam.v))
        return replace(self, net=self.net.to(like), ema=self.ema.to(like), adam=adam)

    @property
    def rates(self):
        """The learning rate of every step so far."""
        course = [self.settings[name] for name in ("steps", "rate", "warmup", "decay")]
        return [learning_rate(step, *course) for step in range(self.step)]

    @property
    def loss(self):
        return self.losses[-1] if self.losses else math.nan
