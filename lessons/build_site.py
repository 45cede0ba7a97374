"""The course as a web site: the executed lessons, playground, explorer, API reference, a search box.

Run `python lessons/build_site.py OUT`; `OUT/index.html` is the first page, and with `--serve` it is shown at an address
of this machine. With `--fast`, every lesson is executed with EDUDIFF_FAST=1: a minute or two instead of ten. Needs the
extra `site`: pip install 'edudiff[all,site]'.

Sphinx makes the pages, with the theme furo (dark mode, search), sphinx-design (cards) and sphinx-copybutton; MyST-NB
shows the lessons, which nbclient executes and a folder keeps (jupytext reads their percent format); latex2mathml turns
formulas into MathML, which browsers draw without a script from elsewhere. JupyterLite makes the notebooks that run in
the reader's browser. A lesson that raises an error fails the build, and so does a broken link.
"""

import argparse
import configparser
import functools
import http.server
import importlib
import pkgutil
import re
import shutil
import sys
import tempfile
from pathlib import Path

import edudiff
from edudiff import cli
from edudiff.playground import folder as playground
from edudiff.runs import explore

LESSONS = Path(__file__).parent
ROOT = LESSONS.parent
sys.path.insert(0, str(LESSONS))

from website import lite, notebooks  # noqa: E402, its folder is known from here on
from website.docstrings import named, plain, shortened  # noqa: E402, F401, two of which Sphinx asks for here

CACHE = ROOT / "build" / "site"
ROW, SEEDS = "raised_hands_resnet_zero", 24  # of the explorer: the demo's network, and noises of which four invent
FAST = ["--seeds", "2", "--steps", "4"]  # with `--fast`
CONF = """
import sys
sys.path.insert(0, {here!r})
from build_site import mathml, named, plain
project, html_title, author = "edudiff", "edudiff: a course", "The edudiff authors"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx_design", "sphinx_copybutton"]
nb_execution_mode, nb_merge_streams = "off", True
myst_enable_extensions, myst_heading_anchors = ["dollarmath", "html_image", "colon_fence"], 3
autodoc_typehints, autodoc_typehints_description_target, autodoc_mock_imports = "description", "all", ["torch"]
python_use_unqualified_type_names, suppress_warnings = True, ["ref.python"]
exclude_patterns, html_theme, html_show_sphinx, html_show_copyright = ["conf.py"], "furo", False, False
html_theme_options = {{"navigation_with_keys": True}}
html_static_path, html_css_files, html_extra_path = ["static"], ["site.css"], ["extra"]
html_js_files, html_favicon = ["site.js"], "static/icon.svg"
html_copy_source, html_show_sourcelink = False, False
copybutton_exclude = ".linenos, .gp, .go"
def setup(app):
    app.add_html_math_renderer("mathml", (mathml, None), (mathml, None))
    app.connect("autodoc-process-docstring", plain)
    app.connect("autodoc-before-process-signature", named)
html_math_renderer = "mathml"
"""
MEMBERS = "   :members:\n   :undoc-members:\n   :special-members: __call__\n"
HOME = """# edudiff: a course

How diffusion models work, and why they invent. A perfectly trained model would only copy its training images; a trained
network draws hands with six fingers, and a formula that was never trained draws much the same ones from the same noise.

```{{raw}} html
<picture><source srcset="_static/opening.png" media="(prefers-reduced-motion: reduce)"><img class="hero"
src="_static/film.gif" alt="Hands come out of noise, by a trained network, by the ELS formula, and by the ideal score,
which copies."></picture>
```

{buttons}

Draw some pictures of your own in the <a href="playground/index.html">playground</a>, and let the formulas loose on
them; or point at a pixel of such hands in the <a href="explorer.html">explorer</a>, and see which training windows it
is the mean of.

Each lesson is a program: read it here, run it in your browser, change it, step through it with a debugger.
Thirteen assignments go with them, [for classes](course.md) or for yourself.

## Lessons

:::::{{grid}} 1 2 2 3
:gutter: 3

{cards}

:::::

```{{toctree}}
:caption: Lessons
:hidden:

{lessons}
```

```{{toctree}}
:caption: The course
:hidden:

course
glossary
```

```{{toctree}}
:caption: Reference, by name
:hidden:

{modules}
```
"""
CARD = """::::{{grid-item-card}} {title}
:link: {stem}
:link-type: doc
:img-top: static/{stem}.png
:img-alt: The last picture of the lesson
:class-img-top: card-picture

{question}

*about {minutes} minutes*
::::"""
COURSE = """# For instructors

What can be handed out as it is: {count} assignments with {tasks} functions to write, each with its lesson, with tests
that students run themselves, hidden tests for the grader, and hints for the usual mistakes. Grading takes one command,
and runs what students wrote confined. Take all, or those that fit; the functions of an assignment do not need those
of another one.

| assignment | lesson | functions to write | tests: visible, hidden | wrong solutions with a hint |
|---|---|---|---|---|
{rows}

    pip install 'edudiff[all] @ git+{address}'
    edudiff course build course          # course/student is handed out, course/grader is kept

{readme}
"""


def mathml(writer, node):
    """Visit a formula: write it as MathML, a block of its own if it is displayed."""
    from docutils import nodes
    from latex2mathml.converter import convert

    displayed = isinstance(node, nodes.math_block)
    formula = convert(node.astext(), display="block" if displayed else "inline")
    writer.body.append(f'<div class="math" style="overflow-x: auto">{formula}</div>' if displayed else formula)
    raise nodes.SkipNode


def address():
    """Where the project lives: written once, in setup.cfg."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config["metadata"]["url"]


def colab(stem):
    """Where Colab opens a lesson: on the branch `notebooks`, where the workflow of the pages puts them."""
    return f"{address().replace('https://github.com', 'https://colab.research.google.com/github')}/blob/notebooks/{stem}.ipynb"


def launch(stem, runs):
    """The buttons of a lesson, as HTML. `runs`: whether the site has notebooks that run in the browser."""
    here = f'<a class="run" href="lite/notebooks/index.html?path={stem}.ipynb">Run this lesson in your browser</a>'
    files = "".join(f'<a href="notebooks/{stem}{kind}" download>download {kind}</a>' for kind in (".ipynb", ".py"))
    return f'<div class="launch">{here * runs}{files}<a href="{colab(stem)}">open in Colab</a></div>'


def questions():
    """{lesson: its question}, from the table of lessons/README.md."""
    rows = re.findall(r"^\| \[[^]]+\]\((\w+)\.py\) \| (.+?) \|", (LESSONS / "README.md").read_text(), re.MULTILINE)
    return dict(rows)


def source(folder, executed, runs=False):
    """Write the Sphinx project into `folder`: lessons, glossary, course, reference, first page.

    `executed`: {path: notebook} of the lessons. `runs`: whether there will be notebooks that run in the browser.
    """
    import nbformat

    for name in ("static", "extra/notebooks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "conf.py").write_text(CONF.format(here=str(LESSONS)))
    for name in ("site.css", "site.js", "icon.svg"):
        shutil.copy(LESSONS / "website" / name, folder / "static")
    shutil.copy(ROOT / "figures" / "results" / "film.gif", folder / "static")
    shutil.copy(ROOT / "figures" / "results" / "opening.png", folder / "static")  # for whom nothing should move
    asked, cards = questions(), []
    for path, notebook in executed.items():
        page = nbformat.from_dict(notebook)
        heading, _, text = page.cells[0].source.partition("\n")
        page.cells[0].source = f"{heading}\n\n{launch(path.stem, runs)}\n{text}"
        nbformat.write(page, folder / f"{path.stem}.ipynb")
        shutil.copy(path, folder / "extra" / "notebooks")
        notebooks.write(path, folder / "extra" / "notebooks", notebooks.THERE.format(address=address()))
        (folder / "static" / f"{path.stem}.png").write_bytes(notebooks.picture(notebook) or b"")
        told = {"title": notebooks.title(path), "minutes": notebooks.minutes(path), "question": asked[path.stem]}
        cards.append(CARD.format(stem=path.stem, **told))
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
    (folder / "course.md").write_text(course())
    first = f'<a class="run" href="{next(iter(executed)).stem}.html">Begin with lesson 0</a>'
    links = '<a href="playground/index.html">Playground</a><a href="explorer.html">Explorer</a>'
    links += '<a href="course.html">For instructors</a>'
    links += f'<a href="{address()}">Source</a>'
    told = {"buttons": f'<div class="launch">{first}{links}</div>', "cards": "\n\n".join(cards)}
    told["lessons"] = "\n".join(path.stem for path in executed)
    told["modules"] = "\n".join(f"api_{module}" for module in pages)
    (folder / "index.md").write_text(HOME.format(**told))


def course():
    """The page for instructors: the assignments, counted, and what lessons/assignments/README.md says."""
    rows, tasks = [], 0
    masters = sorted(LESSONS.glob("assignments/a*/a*.py"), key=lambda path: int(re.search(r"\d+", path.stem)[0]))
    for master in masters:
        text, folder = master.read_text(), master.parent
        title = re.search(r"^# # (.+)$", text, re.MULTILINE)[1]
        lesson = re.search(r"`lessons/(\w+)\.py`", text)
        written = text.count("### BEGIN SOLUTION")
        tests = [
            len(re.findall(r"^def test_", (folder / f"test_{k}.py").read_text(), re.M)) for k in ("visible", "hidden")
        ]
        link = f"[{int(lesson[1][:2])}]({lesson[1]}.ipynb)" if lesson else ""
        wrong = len(list((folder / "wrong").glob("*.py")))
        rows.append(f"| {title} | {link} | {written} | {tests[0]}, {tests[1]} | {wrong} |")
        tasks += written
    readme = (LESSONS / "assignments" / "README.md").read_text().partition("\n")[2]
    told = {"count": len(masters), "tasks": tasks, "rows": "\n".join(rows), "address": address(), "readme": readme}
    return COURSE.format(**told)


def explorer(path, cache, fast=False):
    """Write the explorer of the demo's hands, drawn by its network, which comes with the package; `cache` keeps it."""
    kept = cache / f"{notebooks.key(Path(__file__), fast)}.html"
    if not kept.exists():
        for old in cache.glob(f"{Path(__file__).stem}-*.html"):
            old.unlink()
        with tempfile.TemporaryDirectory() as folder:
            denoisers = ["--denoisers", "els", "local", "linear", "ideal"]
            size = FAST if fast else ["--seeds", str(SEEDS)]
            if cli.main(["compare", "--pretrained", ROW, *denoisers, *size, "--out", f"{folder}/run"]):
                raise RuntimeError("the explorer's pictures were not drawn: see the message above")
            explore.write(f"{folder}/run", kept)
    shutil.copy(kept, path)


def build(out, fast=False, cache=CACHE, runs=True, python=None, pyodide=None):
    """Build the site into the folder `out`; raises RuntimeError if a lesson fails or Sphinx warns.

    `cache`: keeps executed lessons and the environment of JupyterLite. `runs`: with notebooks that run in the browser;
    `python` and `pyodide` as for `website.lite.build`.
    """
    from sphinx.cmd.build import main as sphinx

    lessons = sorted(LESSONS.glob("[0-9]*.py"))
    executed = notebooks.executed(lessons, Path(cache) / "lessons", fast)
    with tempfile.TemporaryDirectory() as folder:
        source(Path(folder), executed, runs)
        if sphinx(["-q", "-W", "--keep-going", "-b", "html", folder, str(out)]):
            raise RuntimeError("the site was not built: see the messages of Sphinx above")
    shutil.rmtree(Path(out) / ".doctrees", ignore_errors=True)
    for page in Path(out).glob("api_*.html"):
        page.write_text(shortened(page.read_text()))
    playground.write(Path(out) / "playground", pyodide)
    explorer(Path(out) / "explorer.html", Path(cache), fast)
    if runs:

        def write(folder):
            for path in lessons:
                notebooks.write(path, folder, notebooks.HERE, lite.PYTHON)

        lite.build((Path(out) / "lite").resolve(), write, Path(cache), python, pyodide)
    return Path(out)


def broken_links(out):
    """Links of the built site to pages, pictures or anchors that are not there: a list of (page, link)."""
    out = Path(out).resolve()
    text = {path: path.read_text() for path in out.rglob("*.html") if "lite" not in path.relative_to(out).parts}
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
            asked = re.search(r"\?path=(.+)", target)
            if asked and not (file.parents[1] / "files" / asked[1]).exists():
                broken.append((str(path.relative_to(out)), link))
    return broken


def serve(out, port):
    """Show the site at an address of this machine, until Ctrl-C."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(out))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"http://127.0.0.1:{server.server_port}/ shows it; Ctrl-C ends that", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


def main():
    """Build the site, and say what is wrong with it; the exit status is 1 then."""
    parser = argparse.ArgumentParser(description="Build the course as a web site.")
    parser.add_argument("out", metavar="OUT", help="folder for the pages")
    parser.add_argument("--fast", action="store_true", help="execute the lessons with EDUDIFF_FAST=1: everything small")
    parser.add_argument("--no-lite", action="store_true", help="leave out the notebooks that run in the browser")
    parser.add_argument("--lite", metavar="PYTHON", help="one with the extra lite alone (default: one is made, kept)")
    parser.add_argument("--pyodide", metavar="DIR", help="bring a whole Pyodide along (default: its public address)")
    parser.add_argument("--cache", metavar="DIR", default=CACHE, help="keeps executed lessons (default: build/site)")
    parser.add_argument("--serve", action="store_true", help="show the site afterwards, on this machine")
    parser.add_argument("--port", type=int, default=8000, help="of --serve (default: 8000)")
    args = parser.parse_args()
    out = build(args.out, args.fast, args.cache, not args.no_lite, args.lite, args.pyodide)
    broken = broken_links(out)
    for page, link in broken:
        print(f"broken link in {page}: {link}")
    files = [path for path in out.rglob("*") if path.is_file()]
    weight = {
        part: sum(p.stat().st_size for p in files if ("lite" in p.relative_to(out).parts) == part) for part in (0, 1)
    }
    print(f"wrote {out / 'index.html'}: {weight[0] / 1e6:.1f} MB, and {weight[1] / 1e6:.1f} MB of notebooks that run")
    if args.serve and not broken:
        serve(out, args.port)
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
