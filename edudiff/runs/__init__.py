"""Whole experiments in a folder: their choices, what is resolved from them, and what they write.

Read `choices`, `run`, `comparison`, in this order; then `training` and `formulas`.
"""

from edudiff.runs.choices import Choices
from edudiff.runs.comparison import compare, sample
from edudiff.runs.run import Run, resolve
from edudiff.runs.training import train

__all__ = ["Choices", "Run", "compare", "resolve", "sample", "train"]
