"""Denoisers in closed form: each is a callable denoise(x, alpha, sigma) -> x0_hat, and none is trained.

Read `ideal`, `linear`, `softmax`, `windows`, `patch`, in this order.
"""

from edudiff.denoisers.ideal import Ideal
from edudiff.denoisers.linear import Linear
from edudiff.denoisers.patch import Patch
from edudiff.denoisers.scales import Scales
from edudiff.denoisers.softmax import merge

__all__ = ["Ideal", "Linear", "Patch", "Scales", "merge"]
