"""The script that settles the GPU, tried without one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "gpu" / "check.sh"

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "timeout", "g++"))), reason="needs bash, timeout and a C++ compiler"
)


def test_a_part_that_fails_is_named_and_stops_no_other(tmp_path):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ "$2" = exact ] && exit 3\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    settings = {"EDUDIFF_DRY_RUN": "1", "PARTS": "picture exact card", "PYTHON": str(python)}
    done = subprocess.run([SCRIPT, tmp_path / "out"], env=os.environ | settings, capture_output=True, text=True)
    log = (tmp_path / "out" / "log.txt").read_text()
    assert done.returncode == 1, log
    records = json.loads((tmp_path / "out" / "gpu.json").read_text())
    assert [json.loads(line) for line in done.stdout.splitlines()] == records
    assert [r["part"] for r in records if r["what"] != "end"] == ["card", "picture"], log
    assert {r["part"]: r["status"] for r in records[:-1] if r["what"] == "end"} == {"card": 0, "exact": 3, "picture": 0}
    assert records[-1] == {"part": "all", "what": "end", "missing": ["exact"], "dry_run": True}


def test_all_parts_together_end_in_eight_minutes():
    limits = [int(line.split()[2]) for line in SCRIPT.read_text().splitlines() if line.startswith("part ")]
    assert len(limits) == 8 and sum(limits) < 8 * 60
