"""Adam, the learning rate's course, and the moving average of the weights: three small rules on dicts of arrays."""

import math

from edudiff.backend import array_module


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1): a step of size about `rate` along the gradient's running mean.

    `m`, `v`: running means of the gradient and of its square, dicts of arrays like the parameters.
    """

    def __init__(self, parameters, decay_m=0.9, decay_v=0.99, epsilon=1e-8):
        self.decay_m, self.decay_v, self.epsilon = decay_m, decay_v, epsilon
        self.count = 0
        self.m = {name: 0 * value for name, value in parameters.items()}
        self.v = {name: 0 * value for name, value in parameters.items()}

    def step(self, parameters, gradients, rate):
        """Update `parameters` in place. `gradients`: a dict with the same names and shapes. `rate`: a number."""
        self.count += 1
        unbias_m = 1 - self.decay_m**self.count
        unbias_v = 1 - self.decay_v**self.count
        for name, gradient in gradients.items():
            xp = array_module(gradient)
            m, v = self.m[name], self.v[name]
            m += (1 - self.decay_m) * (gradient - m)
            v += (1 - self.decay_v) * (gradient**2 - v)
            parameters[name] -= rate * (m / unbias_m) / (xp.sqrt(v / unbias_v) + self.epsilon)


def learning_rate(step, steps, peak, warmup):
    """Rate of step 0, 1, ... of `steps`: a straight rise to `peak` over `warmup` steps, then half a cosine to zero."""
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def update_average(average, parameters, decay, step):
    """Exponential moving average of the weights, in place; young ones forget faster: min(decay, (1 + n) / (10 + n))."""
    keep = min(decay, (1 + step) / (10 + step))
    for name, value in parameters.items():
        average[name] += (1 - keep) * (value - average[name])
