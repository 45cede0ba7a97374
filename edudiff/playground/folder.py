"""The playground's folder: its page, its worker, the package's own Python files, and Pyodide if it is to be local."""

import json
import shutil
import zipfile
from importlib import resources
from pathlib import Path
from typing import Any

import edudiff
from edudiff.support.files import atomic, open_folder
from edudiff.support.pages import filled

ADDRESS = "https://cdn.jsdelivr.net/pyodide/v0.27.7/full/"
PAGE, PACKAGE, LOCAL = "index.html", "package.zip", "pyodide"
TEXTS = ("page.js", "worker.js", PAGE)  # the page last, when all that it asks for is there
MARK = "<title>edudiff: the playground</title>"
RUNTIME = ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip")
NEEDED = ("numpy", "pillow")  # the second for image files


def write(folder: str | Path, pyodide: str | Path | None = None) -> Path:
    """Write the playground into `folder`, made if needed; returns its page, which is to be served, not only opened.

    `pyodide`: a folder that holds a whole Pyodide, of which what is needed is copied beside the page; None: the page
    loads it from ADDRESS. Raises ValueError if it is no such folder, or if `folder` has a page of something else;
    OSError if nothing can be written.
    """
    parts = [] if pyodide is None else runtime(Path(pyodide))
    page = Path(folder) / PAGE
    if page.exists() and MARK not in page.read_text(encoding="utf-8", errors="replace"):
        raise ValueError(f"{page} is not of a playground; name another folder with --out")
    open_folder(folder)
    address = ADDRESS if pyodide is None else f"{LOCAL}/"
    for path in parts:
        (Path(folder) / LOCAL).mkdir(exist_ok=True)
        with atomic(Path(folder) / LOCAL / path.name) as file, path.open("rb") as part:
            shutil.copyfileobj(part, file)
    with atomic(Path(folder) / PACKAGE) as file:
        pack(file)
    for name in TEXTS:
        text = resources.files("edudiff.playground").joinpath(name).read_text(encoding="utf-8")
        with atomic(Path(folder) / name) as file:
            file.write(filled(text).replace("PYODIDE_ADDRESS", address).encode())
    return page


def pack(file: Any) -> None:
    """Write the package's Python files, as they are installed, as a zip into `file`; always the same bytes."""
    root = Path(edudiff.__file__).parent
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*.py")):
            name = Path("edudiff", path.relative_to(root)).as_posix()
            archive.writestr(zipfile.ZipInfo(name), path.read_bytes(), zipfile.ZIP_DEFLATED)


def runtime(folder: Path) -> list[Path]:
    """The files of Pyodide in `folder` that the page needs. Raises ValueError that says what is missing."""
    if not folder.is_dir():
        raise ValueError(f"--pyodide is {str(folder)!r}, expected a folder that holds Pyodide; there is none")
    names = list(RUNTIME)
    lock = folder / "pyodide-lock.json"
    if lock.is_file():
        try:
            packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
            wanted = list(NEEDED)
            for name in wanted:  # which grows meanwhile
                wanted += [more for more in packages[name]["depends"] if more not in wanted]
            names += [packages[name]["file_name"] for name in wanted]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{lock} does not say where {' and '.join(NEEDED)} are ({error!r})") from error
    lost = [name for name in names if not (folder / name).is_file()]
    if lost:
        raise ValueError(
            f"{folder} lacks {', '.join(lost)}; expected a whole Pyodide, with its packages, as in the archive"
            " pyodide-0.27.7.tar.bz2 of its release page"
        )
    return [folder / name for name in names]
