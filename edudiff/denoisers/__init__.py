"""Denoisers in closed form: each is a callable denoise(x, alpha, sigma) -> x0_hat, and none is trained.

The formulas are in `edudiff.scores`; here they are made exact at every noise level, and fast. `base` is what those
that weigh by a softmax have in common.
"""

from edudiff.denoisers.bottleneck import Bottleneck
from edudiff.denoisers.by_label import ByLabel
from edudiff.denoisers.composite import Composite
from edudiff.denoisers.ideal import Ideal
from edudiff.denoisers.leave_one_out import LeaveOneOut
from edudiff.denoisers.linear import Linear
from edudiff.denoisers.masked import Masked
from edudiff.denoisers.mixture import Mixture
from edudiff.denoisers.neighbors import Neighbors
from edudiff.denoisers.origins import Provenance, provenance
from edudiff.denoisers.patch import Patch
from edudiff.denoisers.polynomial import Polynomial
from edudiff.denoisers.scatter import Scatter
from edudiff.denoisers.smoothed import Smoothed
from edudiff.denoisers.window_schedule import Between, WindowSchedule
from edudiff.support.softmax import merge

__all__ = [
    "Between",
    "Bottleneck",
    "ByLabel",
    "Composite",
    "Ideal",
    "LeaveOneOut",
    "Linear",
    "Masked",
    "Mixture",
    "Neighbors",
    "Patch",
    "Polynomial",
    "Provenance",
    "Scatter",
    "Smoothed",
    "WindowSchedule",
    "merge",
    "provenance",
]
