"""What Python lacks in a browser is not asked for there: threads, locks of files, limits of memory."""

import subprocess
import sys
import types

from edudiff.support import memory, threads

PRETEND = "import sys; sys.platform = 'emscripten'; sys.modules['fcntl'] = sys.modules['msvcrt'] = None"


def test_a_browser_is_one_core(monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")
    assert threads.cores() == 1


def test_memory_without_limits_of_the_system_is_no_error(monkeypatch):
    monkeypatch.setattr(memory, "resource", types.ModuleType("resource"))  # JupyterLite's, which is empty
    assert memory.room() > 0


def test_files_are_written_where_nothing_can_be_locked(tmp_path):
    code = f"""{PRETEND}
from pathlib import Path
from edudiff.support import files, locks
folder = Path({str(tmp_path)!r})
with locks.only_one(folder, "--out"):
    files.write_results(folder / "a.json", {{"b": 1}})
print((folder / "a.json").read_text())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert '"b": 1' in done.stdout
