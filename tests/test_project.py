"""What stands around the package agrees with it: versions, addresses, links, workflows, what an install brings."""

import configparser
import re
import runpy
import shlex
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import edudiff

ROOT = Path(__file__).parents[1]
CONFIG = configparser.ConfigParser()
CONFIG.read(ROOT / "setup.cfg", encoding="utf-8")
ADDRESS = CONFIG["metadata"]["url"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEXTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff", "setup.cfg")),
    *WORKFLOWS,
    *(ROOT / ".github" / "ISSUE_TEMPLATE").iterdir(),
    *sorted((ROOT / "lessons").glob("*.md")),
]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "lessons").glob("*.md"))]


def text(*names):
    """What is in one file of the project."""
    return ROOT.joinpath(*names).read_text(encoding="utf-8")


def test_the_version_is_the_same_everywhere():
    first = re.search(r"^## \[(\d\S*)\]", text("CHANGELOG.md"), re.MULTILINE)
    assert first[1] == edudiff.__version__
    assert re.search(r"^version: (.+)$", text("CITATION.cff"), re.MULTILINE)[1] == edudiff.__version__
    for link in ("[Unreleased]: {}/compare/v{}...HEAD", "[{1}]: {0}/releases/tag/v{1}"):
        assert link.format(ADDRESS, edudiff.__version__) in text("CHANGELOG.md").splitlines()


def test_every_mention_of_the_project_has_one_address():
    """It is written once, in setup.cfg; who moves the project finds the others by this test."""
    for path in TEXTS:
        found = re.findall(r"https://github\.com/[\w.-]+/edudiff\b", path.read_text(encoding="utf-8"))
        assert set(found) <= {ADDRESS}, path.name


def test_the_package_index_gets_a_readme_without_relative_links():
    pytest.importorskip("setuptools")
    shown = runpy.run_path(str(ROOT / "setup.py"))["readme"]()
    links = re.findall(r"\]\(([^)]+)\)", shown)
    assert len(links) >= 4
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    assert f"({ADDRESS}/raw/v{edudiff.__version__}/figures/" in shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_to_is_there(page):
    links = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", re.sub(r"`[^`\n]*`", "", text(page)))
    lost = [link for link in links if not (page.parent / link).exists()]
    if not (ROOT / ".git").exists():  # a source distribution leaves the pictures out
        lost = [link for link in lost if not link.endswith(".png")]
    assert lost == []


def test_a_source_distribution_has_the_pictures_that_the_web_site_shows():
    shown = re.findall(r'ROOT / "figures" / "results" / "(.+?)"', text("lessons", "build_site.py"))
    assert shown
    assert {f"include figures/results/{name}" for name in shown} <= set(text("MANIFEST.in").splitlines())


def test_the_pythons_named_are_the_pythons_tested():
    named = re.findall(r"Python :: (3\.\d+)$", CONFIG["metadata"]["classifiers"], re.MULTILINE)
    assert CONFIG["options"]["python_requires"] == f">={named[0]}"
    assert named == re.findall(r'"(3\.\d+)"', re.search(r"python: \[(.+)\]", text(".github/workflows/tests.yml"))[1])


def test_the_extra_all_has_every_extra_that_needs_no_gpu():
    extras = {name: lines.split() for name, lines in CONFIG["options.extras_require"].items()}
    inner = re.search(r"\[(.+)\]", extras["all"][0])[1].split(",")
    assert set(inner) == set(extras) - {"all", "dev", "site", "lite", "cuda12", "cuda13"}


def test_workflows_run_the_scripts_that_a_contributor_runs():
    """No step computes by itself what `.ci/run` does not."""
    called = set()
    for path in WORKFLOWS:
        for step in re.findall(r"^\s+(?:- )?run: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE):
            words = shlex.split(step)
            assert words[0].startswith(".ci/") or words[:4] == ["python", "-m", "pip", "install"], step
            called |= {words[0]} & {f".ci/{script.name}" for script in (ROOT / ".ci").iterdir()}
            assert words[0] in called or words[0] == "python", f"{path.name}: there is no {words[0]}"
    assert called <= set(re.findall(r"\.ci/\w+", text(".ci", "run")))


def test_the_lowest_versions_are_those_of_the_extras():
    lowest = runpy.run_path(str(ROOT / ".ci" / "lowest.py"))["lowest"](ROOT / "setup.cfg")
    assert {"numpy==1.26", "numba==0.59", "matplotlib==3.7", "dask==2024.1"} <= set(lowest)
    assert not any(">" in line or "[" in line for line in lowest)


def examples():
    """{path: code} of the files that CONTRIBUTING.md writes out; a path is the last one named before the code."""
    found = re.findall(r"(.*?)```python\n(.*?)```", text("CONTRIBUTING.md"), re.DOTALL)
    return {re.findall(r"`([\w/.]+/[\w/.]+\.py)`", before)[-1]: code for before, code in found}


def names_of(path, **known):
    """What the code of one of these files defines, where `known` is there already."""
    names = dict(known)
    exec(compile(examples()[path], path, "exec"), names)
    return names


def test_the_denoiser_of_contributing_passes_its_test(monkeypatch):
    made = names_of("edudiff/denoisers/nearest.py")["Nearest"]
    monkeypatch.setattr(edudiff.denoisers, "Nearest", made, raising=False)
    tests = names_of("tests/denoisers/test_nearest.py")
    tests["test_in_little_noise_the_ideal_denoiser_answers_the_nearest_item"]()


def test_the_layer_of_contributing_passes_its_test():
    from edudiff.nn.layers import activations

    layer = SimpleNamespace(**names_of("edudiff/nn/layers/activations.py", **vars(activations)))
    known = {"check_gradients": edudiff.nn.check_gradients, "modules": lambda: [layer]}
    normal = np.random.default_rng(0).standard_normal
    tests = names_of("tests/nn/test_layers.py", normal=lambda *shape: normal(shape), **known)
    tests["test_gradient_of_leaky_relu_p47"]()


def test_the_assignment_of_contributing_is_built(tmp_path, request):
    pytest.importorskip("jupytext")
    request.config.addinivalue_line("markers", "noise_share: the task of the example")
    for path, code in examples().items():
        if path.startswith("lessons/assignments/"):
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(code, encoding="utf-8")
    [built] = edudiff.course.build.build(tmp_path / "lessons" / "assignments", tmp_path / "course")
    assert built.tasks == ["noise_share"]
