"""The lessons are complete: order, parts, questions, boxes, links to code that exists. They are executed elsewhere."""

import ast
import importlib.util
import inspect
import re
import runpy
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import edudiff

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "lessons"
LESSONS = sorted(FOLDER.glob("[0-9]*.py"))
TEXT = {path: path.read_text() for path in LESSONS}

FAST = 'FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small'

PAGE = {f"edudiff/{name}.py" for name in ("schedule", "forward", "reverse", "scores", "convnet")}
ENGINE_BOXES = {
    ("06", "edudiff/denoisers/polynomial.py"): "the page has the two ends, linear and ideal, and no polynomials",
    ("11", "edudiff/compare/calibration.py"): "measuring is the engine's; what is measured and drawn is the page's",
}

each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
each_lesson_but_the_story = pytest.mark.parametrize(
    "path", [path for path in LESSONS if path.stem[:2] != "00"], ids=lambda path: path.stem
)


def markdown(path):
    """The text cells of a lesson, as Markdown."""
    cells = re.findall(r"^# %% \[markdown\]\n((?:#.*\n)+)", TEXT[path], re.MULTILINE)
    return "\n\n".join(re.sub(r"^# ?", "", cell, flags=re.MULTILINE) for cell in cells)


def boxes(path):
    """The boxes of a lesson: the text of each, and the (function, file) pairs that it names."""
    found = re.findall(r"\*\*Step through this\.\*\*(.*?)(?:\n\n|\Z)", markdown(path), re.DOTALL)
    return [(box, re.findall(r"`([\w.]+)`\s+\(in\s+`(edudiff/[\w/]+\.py)`\)", box)) for box in found]


def test_lessons_are_numbered_without_a_gap():
    """From 1, or from 0, the whole story."""
    numbers = [int(path.stem[:2]) for path in LESSONS]
    assert numbers[0] in (0, 1)
    assert numbers == list(range(numbers[0], numbers[0] + len(LESSONS)))
    assert numbers[-1] >= 15


@each_lesson
def test_the_title_has_the_number_of_the_lesson(path):
    assert markdown(path).startswith(f"# {int(path.stem[:2])}. ")


@each_lesson
def test_cells_run_by_themselves_and_leave_their_arrays(path):
    """At module level, without a main and without a guard: what a cell computes is there in the next one."""
    body = ast.parse(TEXT[path]).body
    functions = [node for node in body if isinstance(node, ast.FunctionDef)]
    assert not {"main", "fast"} & {name for f in functions for name in (f.name, *(a.arg for a in f.args.args))}
    assert not [node for node in body if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)]
    named = {n.id for node in body if isinstance(node, ast.Assign) for n in ast.walk(node) if isinstance(n, ast.Name)}
    assert len(named) >= 10


@pytest.mark.parametrize("number", ("01", "03", "09"))
def test_a_lesson_that_was_run_leaves_arrays_to_look_at(number, tmp_path, monkeypatch, capsys):
    [path] = [path for path in LESSONS if path.stem.startswith(number)]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDUDIFF_FAST", "1")
    left = runpy.run_path(str(path), run_name="__main__")
    arrays = [name for name, value in left.items() if isinstance(value, np.ndarray)]
    assert left["FAST"] is True
    assert len(arrays) >= 5
    assert list(tmp_path.glob(f"{path.stem}*.png")) != []
    assert "nan" not in capsys.readouterr().out


@each_lesson
def test_fast_is_a_switch_in_the_environment_or_in_the_first_lines_and_is_on_in_a_browser(path):
    assert TEXT[path].count(f"\n{FAST}\n") == 1


def changes(path):
    """What a lesson asks the reader to change: (old, new, the file that it is in, None for the lesson's own)."""
    [box] = re.findall(r"\*\*Change this and see it fail\.\*\*(.*?)(?:\n\n|\Z)", markdown(path), re.DOTALL)
    box = " ".join(box.split())
    [(old, new)] = re.findall(r"change `([^`]+)` to `([^`]+)`", box)
    file = re.search(r"[Ii]n `(edudiff/[\w/]+\.py)`", box)
    return old, new, file and file[1]


@each_lesson
def test_what_a_lesson_says_to_change_is_there_once(path):
    old, new, file = changes(path)
    code = (ROOT / file).read_text() if file else re.sub(r"(?m)^#.*", "", TEXT[path])
    assert " ".join(code.split()).count(old) == 1
    assert old != new


@each_lesson
def test_every_lesson_links_to_the_papers_that_it_is_from(path):
    assert re.search(r"\]\(https://arxiv\.org/abs/\d{4}\.\d{5}\)", markdown(path))


@each_lesson_but_the_story
def test_three_to_five_questions_with_folded_answers(path):
    questions, _, rest = markdown(path).partition("## Questions")[2].partition("<details>")
    answers, closed, _ = rest.partition("</details>")
    assert closed
    counts = [len(re.findall(r"^\d+\. ", part, re.MULTILINE)) for part in (questions, answers)]
    assert counts[0] == counts[1]
    assert 3 <= counts[0] <= 5


@each_lesson
def test_step_through_this_names_a_function_that_exists(path):
    assert boxes(path)
    for box, named in boxes(path):
        own = [f.name for f in ast.parse(TEXT[path]).body if isinstance(f, ast.FunctionDef)]
        assert named or any(f"`{name}`" in box for name in own)
        for function, file in named:
            tree = ast.parse((Path(edudiff.__file__).parents[1] / file).read_text())
            parents = {id(tree): ""} | {id(n): n.name + "." for n in tree.body if isinstance(n, ast.ClassDef)}
            bodies = [tree, *(n for n in tree.body if isinstance(n, ast.ClassDef))]
            defined = {parents[id(b)] + f.name for b in bodies for f in b.body if isinstance(f, ast.FunctionDef)}
            assert function in defined, f"{file} defines no {function}"


def test_lessons_0_to_11_step_through_the_page():
    early = [path for path in LESSONS if int(path.stem[:2]) <= 11]
    named = {(path.stem[:2], file) for path in early for _, found in boxes(path) for _, file in found}
    assert {box for box in named if box[1] not in PAGE} == set(ENGINE_BOXES)
    assert {number for number, file in named if file in PAGE} >= {path.stem[:2] for path in early} - {"06"}
    assert {file for _, file in named} >= PAGE - {"edudiff/schedule.py"}


@each_lesson
def test_pictures_are_saved_under_the_name_of_the_lesson(path):
    names = re.findall(r'plot\.present\(.*"([^"{]+?)(?:_[\d{][^"]*)?"\)', TEXT[path])
    assert set(names) == {path.stem}


@each_lesson
def test_a_slider_is_in_explore_only(path):
    explorers = [f for f in ast.parse(TEXT[path]).body if isinstance(f, ast.FunctionDef) and f.name == "explore"]
    outside = TEXT[path]
    for function in explorers:
        outside = outside.replace(ast.get_source_segment(TEXT[path], function), "")
    assert "plot.explore" not in outside


@each_lesson
def test_every_lesson_is_a_notebook(path):
    jupytext, nbformat = pytest.importorskip("jupytext"), pytest.importorskip("nbformat")
    notebook = jupytext.reads(TEXT[path], fmt="py:percent")
    nbformat.validate(notebook)
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds[0] == "markdown"
    assert kinds.count("markdown") >= 4
    assert kinds.count("code") >= 5


@each_lesson
def test_the_index_names_every_lesson(path):
    assert f"({path.name})" in (FOLDER / "README.md").read_text()


def test_the_index_leads_to_the_assignment_that_a_lesson_names():
    index = (FOLDER / "README.md").read_text()
    for path in LESSONS:
        named = re.findall(r"`lessons/assignments/(\w+)`", TEXT[path])
        [row] = re.findall(rf"^.*\({path.name}\).*$", index, re.MULTILINE)
        assert re.findall(r"\(assignments/(\w+)/\1\.py\)", row) == named[:1]
        assert all((FOLDER / "assignments" / name / f"{name}.py").is_file() for name in named)


def test_a_headless_run_skips_the_sliders(capsys):
    pytest.importorskip("matplotlib").use("Agg")
    edudiff.plot.explore(lambda axis, t: axis.plot([t]), t=(0.0, 1.0, 0.5))
    assert "the sliders need a window" in capsys.readouterr().out


@each_lesson
def test_every_formula_becomes_mathml(path):
    convert = pytest.importorskip("latex2mathml.converter").convert
    formulas = re.findall(r"\$\$(.+?)\$\$|\$([^$]+?)\$", re.sub(r"`[^`]*`", "", markdown(path)), re.DOTALL)
    for displayed, inline in formulas:
        assert "<math" in convert(displayed or inline)


@pytest.fixture(scope="module")
def build_site():
    """The module lessons/build_site.py."""
    pytest.importorskip("jupytext")
    spec = importlib.util.spec_from_file_location("build_site", FOLDER / "build_site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_docstrings_mark_up_code_and_nothing_else(build_site):
    lines = ["|x - y|^2 of `a`s, a * b, in `c|d`", "", "| `size` | what |", "|---|---|", "| 3 | small_window |"]
    build_site.plain(None, "function", "f", None, None, lines)
    wanted = r"\|x - y\|^2 of ``a``\ s, a \* b, in ``c|d``", "", r"| ``size`` \| what \|", r"| 3 \| small\_window \|"
    assert lines == [*wanted, ""]


def test_the_type_of_an_array_has_its_short_name_in_every_page(build_site):
    words = ("ndarray", "[", "tuple", "[", "Any", ",", " ", "...", "]", ",", " ", "dtype", "[", "Any", "]", "]")
    spans = [
        f'<span class="pre">{w}</span>' if w.isalpha() else f'<span class="p"><span class="pre">{w}</span></span>'
        for w in words
    ]
    for spelled in (
        "".join(f"<em>{word}</em>" for word in words),
        "".join(spans),
        "<em>ndarray</em>[<em>tuple</em>[<em>Any</em>, …], <em>dtype</em>[<em>Any</em>]]",
    ):
        found = build_site.shortened(f"<p>({spelled} | None)</p>")
        assert re.sub("<[^>]+>", "", found) == "(Array | None)"
        xml.etree.ElementTree.fromstring(found)  # its tags fit
    assert build_site.shortened("ndarray of rank 1") == "ndarray of rank 1"


def test_an_indented_paragraph_of_a_docstring_is_code(build_site):
    lines = ["a_b:", "", "    @c", "    class D:", "        e_f = 1", "", "    g", "", "h_i", "    j_k"]
    build_site.plain(None, "module", "m", None, None, lines)
    code = ["    @c", "    class D:", "        e_f = 1", "", "    g", ""]
    assert lines == [r"a\_b:", "", "::", "", *code, r"h\_i", r"    j\_k", ""]


def test_what_a_docstring_says_of_a_parameter_stands_in_the_list_of_parameters(build_site):
    def thing(x, alpha, sigma, rng=None):
        """What it does.

        `x`: (B, H, W, C) in `[-1, 1]`. `alpha`, `sigma`: two
        numbers; `other`: is none of it. Raises ValueError for NaN.

        More of it, with `rng`: none.
        """

    lines = inspect.getdoc(thing).splitlines()
    build_site.plain(None, "function", "thing", thing, None, lines)
    numbers = "two numbers; ``other``: is none of it."
    assert [line for line in lines if line] == [
        "What it does.",
        "Raises ValueError for NaN.",
        "More of it, with ``rng``: none.",
        ":param x: (B, H, W, C) in ``[-1, 1]``.",
        f":param alpha: {numbers}",
        f":param sigma: {numbers}",
    ]


def test_an_array_is_called_so_in_the_reference(build_site):
    def thing(self: int, x: NDArray[Any], size: int) -> NDArray[Any]: ...

    build_site.named(None, thing, False)
    assert str(inspect.signature(thing)) == "(self, x: Array, size: int) -> Array"


@each_lesson
def test_a_notebook_brings_the_package_and_is_the_lesson(path, build_site, tmp_path):
    nbformat = pytest.importorskip("nbformat")
    build_site.notebooks.write(path, tmp_path, build_site.notebooks.HERE)
    notebook = nbformat.read(tmp_path / f"{path.stem}.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[0].source.startswith(f"# {int(path.stem[:2])}. ")
    assert notebook.cells.pop(1).source == "%pip install -q edudiff matplotlib pillow"
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in build_site.notebooks.read(path).cells]


def test_a_lesson_is_executed_once_until_it_changes(build_site, tmp_path):
    pytest.importorskip("nbclient"), pytest.importorskip("ipykernel")
    lesson = tmp_path / "00_small.py"
    lesson.write_text("# %% [markdown]\n# # 0. Small\n\n# %%\nprint(1)\nopen('ran', 'a').write('x')\n")
    cache = tmp_path / "cache"
    for times, text in ((1, ""), (1, ""), (2, "\n# %%\n1 / 4\n")):
        lesson.write_text(lesson.read_text() + text)
        [notebook] = build_site.notebooks.executed([lesson], cache).values()
        assert notebook.cells[1].outputs[0].text == "1\n"
        assert (cache / "ran").read_text() == "x" * times
        assert len(list(cache.glob("*.ipynb"))) == 1
    lesson.write_text(lesson.read_text() + "\n# %%\n1 / 0\n")
    with pytest.raises(RuntimeError, match=r"00_small\.py fails"):
        build_site.notebooks.executed([lesson], cache)


def test_a_program_saves_its_pictures(tmp_path, monkeypatch, capsys):
    figure = pytest.importorskip("matplotlib.figure").Figure()
    monkeypatch.chdir(tmp_path)
    edudiff.plot.present(figure, "picture")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert "wrote picture.png" in capsys.readouterr().out


def written(build_site, folder, runs=True):
    """The Sphinx project in a folder, of lessons that were not executed."""
    build_site.source(folder, {path: build_site.notebooks.read(path) for path in LESSONS}, runs)


def test_every_lesson_has_a_page_with_its_buttons_and_a_card(build_site, tmp_path):
    written(build_site, tmp_path)
    home = (tmp_path / "index.md").read_text()
    for path in LESSONS:
        page = (tmp_path / f"{path.stem}.ipynb").read_text()
        assert f"lite/notebooks/index.html?path={path.stem}.ipynb" in page
        where = "https://colab.research.google.com/github/edudiff/edudiff/blob/notebooks"
        assert f"{where}/{path.stem}.ipynb" in page
        assert (tmp_path / "extra" / "notebooks" / path.name).read_text() == path.read_text()
        assert f"notebooks/{path.stem}.ipynb" in page
        assert "git+https://github.com/edudiff" in (tmp_path / "extra/notebooks" / f"{path.stem}.ipynb").read_text()
        assert f"\n{path.stem}\n" in home and f":link: {path.stem}\n" in home
    assert 'href="playground/index.html"' in home
    minutes = [int(number) for number in re.findall(r"^\*about (\d+) minutes\*$", home, re.MULTILINE)]
    assert len(minutes) == len(LESSONS) and all(5 <= number <= 40 for number in minutes)
    assert ".. automodule:: edudiff.denoisers.patch" in (tmp_path / "api_denoisers.md").read_text()


def test_the_glossary_has_the_words_and_leads_to_files_that_are_there(build_site, tmp_path):
    glossary = (FOLDER / "glossary.md").read_text()
    links = re.findall(r"\]\(([^)]+)\)", glossary)
    assert [link for link in links if not (FOLDER / link).is_file()] == []
    assert all(
        line.count("](") == 1 for line in glossary.splitlines() if line.startswith("| ") and "| where |" not in line
    )
    assert {f"edudiff/{Path(link).name}" for link in links} >= PAGE
    for word in (
        "`x0_hat`",
        "score",
        "denoiser",
        "padding",
        "window",
        "ELS",
        "`ema`",
        "`pearson_r`",
        "`r2_score`",
        "baseline",
    ):
        assert re.search(rf"^\| [^|]*{re.escape(word)}", glossary, re.MULTILINE)
    written(build_site, tmp_path, runs=False)
    assert "lite/" not in (tmp_path / f"{LESSONS[0].stem}.ipynb").read_text()
    assert all(
        (tmp_path / link).exists() for link in re.findall(r"\]\(([^)]+)\)", (tmp_path / "glossary.md").read_text())
    )


def test_the_page_for_instructors_counts_the_assignments(build_site):
    page = build_site.course()
    rows = re.findall(
        r"^\| Assignment (\d+): .+ \| \[(\d+)\].* \| (\d+) \| (\d+), (\d+) \| (\d+) \|$", page, re.MULTILINE
    )
    masters = list((FOLDER / "assignments").glob("a*/a*.py"))
    assert [int(row[0]) for row in rows] == list(range(1, len(masters) + 1))
    assert all(int(number) > 0 for row in rows for number in row[2:])
    assert f"{len(rows)} assignments with {sum(int(row[2]) for row in rows)} functions" in page


def test_broken_links_are_found(build_site, tmp_path):
    (tmp_path / "a.html").write_text('<p id="here"><a href="b.html#there"><a href="#here"><a href="https://x.y">')
    (tmp_path / "b.html").write_text('<a href="a.html#nowhere"><img src="c.png">')
    (tmp_path / "c.html").write_text('<a href="lite/notebooks/index.html?path=d.ipynb">')
    for name in ("notebooks/index.html", "files/e.ipynb"):
        (tmp_path / "lite" / name).parent.mkdir(parents=True)
        (tmp_path / "lite" / name).write_text('<a href="of no matter">')
    broken = [("a.html", "b.html#there"), ("b.html", "a.html#nowhere"), ("b.html", "c.png")]
    broken.append(("c.html", "lite/notebooks/index.html?path=d.ipynb"))
    assert sorted(build_site.broken_links(tmp_path)) == broken
