"""Whole experiments in a folder: their choices, what is resolved from them, and what they write.

`choices` become a `run`, once; `comparison` is the main job, `training` and `formulas` are its parts.
"""

from edudiff.runs.choices import Choices
from edudiff.runs.comparison import compare, sample
from edudiff.runs.rows import pretrained
from edudiff.runs.run import Run, resolve
from edudiff.runs.training import train

__all__ = ["Choices", "Run", "compare", "pretrained", "resolve", "sample", "train"]
