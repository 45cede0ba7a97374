"""Theory against network: calibrate the formula, draw the same noise through both, measure how alike they are."""

from edudiff.compare import metrics as metrics
from edudiff.compare.calibration import calibrate
from edudiff.compare.comparison import agreement, draw, experiment, stepwise
from edudiff.compare.diagnosis import Diagnosis, Finding, diagnose
from edudiff.compare.fingers import count_fingers, count_fingers_all, finger_agreement, finger_tips
from edudiff.compare.rules import face_rules
from edudiff.compare.sensitivities import sensitivity, sensitivity_masks

__all__ = [
    "Diagnosis",
    "Finding",
    "agreement",
    "calibrate",
    "count_fingers",
    "count_fingers_all",
    "diagnose",
    "draw",
    "experiment",
    "face_rules",
    "finger_agreement",
    "finger_tips",
    "sensitivity",
    "sensitivity_masks",
    "stepwise",
]
