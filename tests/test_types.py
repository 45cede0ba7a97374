"""What a type checker knows of a program that uses the package: the types of its objects, none of them unknown."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import edudiff

PROGRAM = """
import numpy as np
import edudiff as ed
from edudiff.support.types import Denoiser

def own(x: np.ndarray, alpha: float, sigma: float) -> np.ndarray:
    return alpha * x

rng = np.random.default_rng(0)
images = ed.data.shapes.hands(8, size=14, rng=rng)
reveal_type(images)  # ndarray
schedule = ed.schedule.cosine()
reveal_type(schedule)  # Schedule
x = ed.reverse.start(schedule, (2, 14, 14, 1), rng, like=images)
denoise: Denoiser = own
for denoise in (own, ed.scores.els(images, window=5), ed.denoisers.Patch(images, window=5), ed.nn.ResNet(8, 1)):
    reveal_type(ed.reverse.sample(denoise, schedule, x, schedule.times(4)))  # ndarray
for step in ed.reverse.steps(denoise, schedule, x, schedule.times(4), method="heun"):
    reveal_type(step)  # Step
    reveal_type(step.x0_hat)  # ndarray
reveal_type(ed.denoisers.Patch(images, window=5))  # Patch
reveal_type(ed.denoisers.Patch(images, window=5)(x, 0.7, 0.7))  # ndarray
for state in ed.convnet.train(ed.convnet.init(rng), images, schedule, rng=rng):
    reveal_type(state.ema)  # ConvNet
reveal_type(ed.nn.ResNet(8, 1))  # ResNet
for trained in ed.nn.train(ed.nn.ResNet(8, 1), images, schedule, rng=rng):
    reveal_type(trained)  # State
reveal_type(ed.compare.metrics.pearson_r(x, x))  # ndarray
"""


def test_the_types_of_a_users_program_are_known(tmp_path):
    pytest.importorskip("mypy")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    # Errors in the package itself are not this program's: they are looked for where the package is checked.
    root = Path(edudiff.__file__).parents[1]
    kept = root / ".mypy_cache" / "user"  # what is known of NumPy and of files that did not change; unwritable: no harm
    options = ["--strict", "--follow-imports", "silent", "--cache-dir", str(kept)]
    where = os.environ | {"MYPYPATH": str(root)}
    command = [sys.executable, "-m", "mypy", *options, str(program)]
    said = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=where).stdout
    revealed = dict(re.findall(r'program.py:(\d+): note: Revealed type is "(.*)"', said))
    assert "error" not in said, said
    for number, line in enumerate(PROGRAM.splitlines(), 1):
        if "reveal_type" in line:
            assert line.split("# ")[1] in revealed[str(number)], said
