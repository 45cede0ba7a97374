"""JupyterLite: notebooks that run in the reader's browser, with nothing installed, as a folder of plain files.

JupyterLite copies all extensions of JupyterLab that it finds in its environment into the site. So it is built in an
environment of its own, with the extra `lite` of setup.cfg and nothing else.
"""

import configparser
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"
PYTHON = "python"  # what JupyterLite calls its kernel
NEEDED = "comm==0.2.2"  # what the kernel asks the package index for as it starts; here it is beside it
SOURCES = ("edudiff", "lessons/assignments", "setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")
CONFIG = {
    "LiteBuildConfig": {
        "apps": ["notebooks"],
        "contents": ["content"],
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
    }
}


def environment(cache):
    """The Python of the environment in the folder `cache` that has the extra `lite`; made if it is not there."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    needed = config["options.extras_require"]["lite"].split()
    place = cache / f"lite-{hashlib.sha256(repr((needed, sys.version_info[:2])).encode()).hexdigest()[:12]}"
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (place / "whole").exists():
        shutil.rmtree(place, ignore_errors=True)
        run(sys.executable, "-m", "venv", place)
        run(python, "-m", "pip", "install", "--quiet", *needed)
        (place / "whole").touch()
    return python


def run(*command, **more):
    """Run a command that says nothing; raises RuntimeError with its words if it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)
    if done.returncode:
        words = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise RuntimeError(f"{' '.join(map(str, command[:6]))} ... failed:\n{words}")


def wheel(python, out):
    """Build the package's wheel into `out`, from a copy, so that nothing is left beside the sources."""
    with tempfile.TemporaryDirectory() as folder:
        for name in SOURCES:
            source, target = ROOT / name, Path(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        run(python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, folder)


def build(out, write, cache, python=None, pyodide=None):
    """Build JupyterLite into the folder `out`; `write(folder)` puts the notebooks there.

    `cache`: where its environment is kept; `python`: that of another one. `pyodide`: a folder with a whole Pyodide
    that goes along, for where there is no internet; without it readers get Pyodide from its own address.
    """
    python = python or environment(cache)
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for name in ("content", "pypi"):
            (here / name).mkdir()
        write(here / "content")
        wheel(python, here / "pypi")
        run(python, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", here / "pypi", NEEDED)
        settings = {"appName": "edudiff", "exposeAppInBrowser": True}
        if pyodide:
            settings["litePluginSettings"] = {KERNEL: {"pyodideUrl": "./pyodide/pyodide.js"}}
        (here / "jupyter-lite.json").write_text(json.dumps({"jupyter-config-data": settings}))
        (here / "jupyter_lite_config.json").write_text(json.dumps(CONFIG))
        run(python, "-m", "jupyter", "lite", "build", "--output-dir", out, cwd=here)
    if pyodide:
        shutil.copytree(pyodide, Path(out) / "pyodide", dirs_exist_ok=True)
