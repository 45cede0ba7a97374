"""The lessons as notebooks: to read on the site, executed once and kept, and to download, to open in Colab or to run.

What was executed is kept under a name that is made from the lesson and everything that it can use, so that the next
build executes only what has changed.
"""

import base64
import hashlib
import math
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import edudiff

PACKAGE = Path(edudiff.__file__).parent
HERE = "%pip install -q edudiff matplotlib pillow"
THERE = """import sys

if "google.colab" in sys.modules:
    %pip install -q "edudiff[fast,plot] @ git+{address}"\
"""


def read(path):
    """A lesson as a notebook without outputs, whose cells have the same names in every build."""
    import jupytext

    notebook = jupytext.read(path, fmt="py:percent")
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"{path.stem[:2]}-{number}"
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def write(path, out, first, kernel=None):
    """Write a lesson into the folder `out` as a notebook whose `first` cell of code brings what it needs.

    `kernel`: the name of what runs it, that of Python on a reader's machine if it is None.
    """
    import nbformat

    notebook = read(path)
    if kernel:
        notebook.metadata["kernelspec"] = {"name": kernel, "display_name": "Python in this page", "language": "python"}
    cell = nbformat.v4.new_code_cell(first, id=f"{path.stem[:2]}-first")
    notebook.cells.insert(1, cell)
    nbformat.write(notebook, out / f"{path.stem}.ipynb")


def executed(paths, cache, fast=False, workers=None):
    """{path: notebook} of all lessons, with what their cells print and draw; raises RuntimeError that names a cell.

    `cache`: a folder of notebooks that were executed before, and will be from now on. `fast`: with EDUDIFF_FAST=1.
    """
    os.environ["EDUDIFF_FAST"] = "1" if fast else ""  # the kernels inherit it
    cache.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(workers or min(4, os.cpu_count() or 1)) as pool:
        return dict(zip(paths, pool.map(lambda path: _executed(path, cache, fast), paths), strict=True))


def key(path, fast):
    """What a lesson's outputs depend on, as a name: its text, the package, how large it is made."""
    seen = hashlib.sha256(f"{fast} {path.name}".encode() + path.read_bytes())
    for file in sorted(PACKAGE.rglob("*.py")):
        seen.update(str(file.relative_to(PACKAGE)).encode() + file.read_bytes())
    return f"{path.stem}-{seen.hexdigest()[:16]}"


def _executed(path, cache, fast):
    import nbclient
    import nbformat

    kept = cache / f"{key(path, fast)}.ipynb"
    if kept.exists():
        return nbformat.read(kept, as_version=4)
    notebook = read(path)
    client = nbclient.NotebookClient(notebook, timeout=1800, resources={"metadata": {"path": str(cache)}})
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError as error:
        raise RuntimeError(f"{path.name} fails:\n{error}") from None
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times, which differ in every build
    part = kept.with_suffix(f".{os.getpid()}.part")
    nbformat.write(notebook, part)
    part.replace(kept)
    for old in cache.glob(f"{path.stem}-*.ipynb"):
        if old != kept:
            old.unlink()
    return notebook


def picture(notebook):
    """The last picture that a notebook has drawn, PNG, as bytes; None if it has drawn none."""
    found = [
        output["data"]["image/png"]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    return base64.b64decode(found[-1]) if found else None


def minutes(path):
    """About how long a lesson takes to read, in minutes: 200 words of text or 20 lines of code in one of them."""
    lines = path.read_text(encoding="utf-8").splitlines()
    words = sum(len(line.split()) - 1 for line in lines if line.startswith("# ") and not line.startswith("# %%"))
    code = sum(bool(line.strip()) and not line.startswith("#") for line in lines)
    return 5 * math.ceil((words / 200 + code / 20) / 5)


def title(path):
    """The title of a lesson, with its number."""
    return re.search(r"^# # (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)[1]
