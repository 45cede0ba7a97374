"""Theory against network: calibrate the formula, draw the same noise through both, measure how alike they are."""

from edudiff.compare import metrics
from edudiff.compare.calibrate import calibrate
from edudiff.compare.experiment import agreement, draw, experiment
from edudiff.compare.provenance import Provenance, provenance

__all__ = ["Provenance", "agreement", "calibrate", "draw", "experiment", "metrics", "provenance"]
