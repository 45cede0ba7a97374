"""The course as a web site: the executed lessons with their pictures, the API reference, a search box.

Run `python lessons/build_site.py OUT`; `OUT/index.html` is the first page. With `--fast`, every lesson is executed with
EDUDIFF_FAST=1: a minute or two instead of ten. Needs the extra `site`: pip install 'edudiff[all,site]'.

Sphinx makes the pages, MyST-NB executes the lessons (jupytext reads their percent format), latex2mathml turns formulas
into MathML, which browsers draw without a script from elsewhere. A lesson that raises an error fails the build, and
so does a broken link.
"""

import argparse
import importlib
import os
import pkgutil
import re
import shutil
import tempfile
from pathlib import Path

import edudiff

LESSONS = Path(__file__).parent
CONF = """
import sys
sys.path.insert(0, {here!r})
from build_site import mathml, plain
project, html_title, author = "edudiff", "edudiff: a course", "The edudiff authors"
extensions = ["myst_nb", "sphinx.ext.autodoc"]
nb_custom_formats = {{".py": ["jupytext.reads", {{"fmt": "py:percent"}}]}}
nb_execution_mode, nb_execution_timeout, nb_execution_raise_on_error = "force", 1800, True
nb_execution_show_tb, nb_merge_streams = True, True
myst_enable_extensions, myst_heading_anchors = ["dollarmath", "html_image"], 3
autodoc_typehints, autodoc_mock_imports = "none", ["torch"]
exclude_patterns, html_theme, html_show_sphinx, html_show_copyright = ["conf.py"], "furo", False, False
html_theme_options = {{"navigation_with_keys": True}}
def setup(app):
    app.add_html_math_renderer("mathml", (mathml, None), (mathml, None))
    app.connect("autodoc-process-docstring", plain)
html_math_renderer = "mathml"
"""
MEMBERS = "   :members:\n   :undoc-members:\n   :special-members: __call__\n"
HOME = """# edudiff: a course

How diffusion models work, and why they invent. Each lesson is a program: read it here, run it, change it, step through
it. The files are in `lessons/`.

```{{toctree}}
:maxdepth: 1

{lessons}
```

```{{toctree}}
:caption: Reference, by name
:maxdepth: 1

{modules}
```
"""


def mathml(writer, node):
    """Visit a formula: write it as MathML, a block of its own if it is displayed."""
    from docutils import nodes
    from latex2mathml.converter import convert

    displayed = isinstance(node, nodes.math_block)
    formula = convert(node.astext(), display="block" if displayed else "inline")
    writer.body.append(f'<div class="math" style="overflow-x: auto">{formula}</div>' if displayed else formula)
    raise nodes.SkipNode


def plain(app, what, name, thing, options, lines):
    """Rewrite a docstring, in place, for reStructuredText: only code is marked up, and a table stays a list of rows."""
    kept, code = [], False
    for line in lines:
        begins = line.startswith("    ") and not code and kept[-1:] in ([], [""])
        code = begins or (code and (not line or line.startswith("    ")))  # an indented paragraph, as it is
        kept += ["::", ""] * begins
        if not line.startswith("|--"):
            kept.append(line if code else marked(line))
    lines[:] = kept


def marked(line):
    """One line of text, or one row of a table, of a docstring: what stands in backticks as code, the rest as it is."""
    parts = line.removeprefix("| ").split("`")  # every second part is code
    text = [part if k % 2 else re.sub(r"([\\|*_])", r"\\\1", part) for k, part in enumerate(parts)]
    text[2::2] = ["\\ " * part[:1].isalnum() + part for part in text[2::2]]
    return "| " * line.startswith("| ") + "``".join(text)


def source(folder):
    """Write the Sphinx project into `folder`: lessons, glossary, reference, first page."""
    (folder / "conf.py").write_text(CONF.format(here=str(LESSONS)))
    lessons = sorted(LESSONS.glob("[0-9]*.py"))
    for path in lessons:
        shutil.copy(path, folder)
    pages = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(edudiff.__path__) if not m.name.startswith("_")):
        name = f"edudiff.{module}"
        inner = [m.name for m in pkgutil.iter_modules(getattr(importlib.import_module(name), "__path__", []))]
        pages[module] = [name, *(f"{name}.{i}" for i in inner if not i.startswith("_"))]
    for module, names in pages.items():
        parts = [f"# {pages[module][0]}\n"]
        for i, part in enumerate(names):
            members = "" if i == 0 and len(names) > 1 else MEMBERS
            heading = f"## {part}\n\n" if i else ""
            parts.append(f"{heading}```{{eval-rst}}\n.. automodule:: {part}\n{members}\n```\n")
        (folder / f"api_{module}.md").write_text("\n".join(parts))
    glossary = (LESSONS / "glossary.md").read_text()
    (folder / "glossary.md").write_text(re.sub(r"\]\(\.\./edudiff/(\w+)[^)]*\)", r"](api_\1.md)", glossary))
    names = "\n".join([*(path.stem for path in lessons), "glossary"]), "\n".join(f"api_{module}" for module in pages)
    (folder / "index.md").write_text(HOME.format(lessons=names[0], modules=names[1]))


def build(out, fast=False):
    """Build the site into the folder `out`; raises RuntimeError if a lesson fails or Sphinx warns."""
    from sphinx.cmd.build import main as sphinx

    with tempfile.TemporaryDirectory() as folder:
        source(Path(folder))
        os.environ["EDUDIFF_FAST"] = "1" if fast else ""  # the kernels that execute the lessons inherit it
        if sphinx(["-q", "-W", "--keep-going", "-b", "html", folder, str(out)]):
            raise RuntimeError("the site was not built: see the messages of Sphinx above")
    shutil.rmtree(Path(out) / ".doctrees", ignore_errors=True)
    return Path(out)


def broken_links(out):
    """Links of the built site to pages, pictures or anchors that are not there: a list of (page, link)."""
    out = Path(out).resolve()
    text = {path: path.read_text() for path in out.rglob("*.html")}
    anchors = {path: set(re.findall(r'\bid="([^"]+)"', page)) for path, page in text.items()}
    broken = []
    for path, page in text.items():
        for link in re.findall(r'(?:href|src)="([^"]+)"', page):
            target, _, anchor = link.partition("#")
            if re.match(r"[a-z]+:|//", link):
                continue
            file = (path.parent / target.split("?")[0]).resolve() if target else path
            if not file.exists() or (anchor and file in anchors and anchor not in anchors[file]):
                broken.append((str(path.relative_to(out)), link))
    return broken


def main():
    """Build the site, and say what is wrong with it; the exit status is 1 then."""
    parser = argparse.ArgumentParser(description="Build the course as a web site.")
    parser.add_argument("out", metavar="OUT", help="folder for the pages")
    parser.add_argument("--fast", action="store_true", help="execute the lessons with EDUDIFF_FAST=1: everything small")
    args = parser.parse_args()
    out = build(args.out, args.fast)
    for page, link in broken_links(out):
        print(f"broken link in {page}: {link}")
    print(f"wrote {out / 'index.html'}")
    return 1 if broken_links(out) else 0


if __name__ == "__main__":
    raise SystemExit(main())
