"""The playground's folder: all that its page asks for is there, the package runs from it, and no other page is lost."""

import json
import re
import subprocess
import sys
import threading
import urllib.request
import zipfile
from pathlib import Path

import pytest

import edudiff
from edudiff import cli
from edudiff.playground import folder, serve

ROOT = Path(edudiff.__file__).parent
PARTS = ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "numpy.whl", "pillow.whl", "more.whl")


@pytest.fixture
def pyodide(tmp_path):
    """A folder that has the names of Pyodide's files, and one that is not needed."""
    folder = tmp_path / "full"
    folder.mkdir()
    for name in (*PARTS, "scipy.whl"):
        (folder / name).write_text(name)
    needs = {"numpy": ["more"], "pillow": [], "more": [], "scipy": ["numpy"]}
    packages = {name: {"file_name": f"{name}.whl", "depends": other} for name, other in needs.items()}
    (folder / "pyodide-lock.json").write_text(json.dumps({"packages": packages}))
    return folder


def test_the_folder_holds_what_the_page_asks_for(tmp_path):
    page = folder.write(tmp_path / "play")
    text = page.read_text()
    assert sorted(path.name for path in page.parent.iterdir()) == ["index.html", "package.zip", "page.js", "worker.js"]
    assert all((page.parent / name).is_file() for name in re.findall(r'src="(.+?)"', text))
    assert f'"{folder.ADDRESS}"' in text and "PYODIDE_ADDRESS" not in text
    asked = re.findall(
        r'"([\w.]+\.(?:js|zip))"', (page.parent / "page.js").read_text() + (page.parent / "worker.js").read_text()
    )
    assert {"worker.js", "package.zip", "pyodide.js"} == set(asked)


def test_the_package_in_the_folder_is_the_one_that_is_installed_and_runs(tmp_path):
    folder.write(tmp_path)
    with zipfile.ZipFile(tmp_path / "package.zip") as archive:
        names = {name: archive.read(name) for name in archive.namelist()}
    assert names == {path.relative_to(ROOT.parent).as_posix(): path.read_bytes() for path in ROOT.rglob("*.py")}
    code = f"import sys; sys.path[0] = {str(tmp_path / 'package.zip')!r}; import edudiff.playground.play as p; "
    code += "print(p.__file__, len(list(p.Play().ask('take', dict(kind='hands', count=2, seed=0)))))"
    told = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "package.zip" in told.stdout and told.stdout.split()[-1] == "1"


def test_the_same_package_is_the_same_file(tmp_path):
    for name in "ab":
        folder.write(tmp_path / name)
    assert (tmp_path / "a" / "package.zip").read_bytes() == (tmp_path / "b" / "package.zip").read_bytes()


def test_of_a_local_pyodide_only_what_is_needed_is_copied(pyodide, tmp_path):
    page = folder.write(tmp_path / "play", pyodide)
    there = {path.name: path.read_text() for path in (page.parent / "pyodide").iterdir()}
    lock = (pyodide / "pyodide-lock.json").read_text()
    assert there == {name: name for name in PARTS} | {"pyodide-lock.json": lock}
    assert '"pyodide/"' in page.read_text() and "https:" not in page.read_text()


@pytest.mark.parametrize("lost", ("pyodide.asm.wasm", "numpy.whl", "pyodide-lock.json"))
def test_a_pyodide_that_lacks_something_is_refused_before_anything_is_written(lost, pyodide, tmp_path, capsys):
    (pyodide / lost).unlink()
    assert cli.main(["playground", "--out", str(tmp_path / "play"), "--pyodide", str(pyodide)]) == 2
    error = capsys.readouterr().err
    assert f"lacks {lost}" in error and error.count("\n") == 1
    assert not (tmp_path / "play").exists()


def test_a_lock_file_without_numpy_or_no_folder_at_all_is_one_line(pyodide, tmp_path, capsys):
    for text in ("{", "[]", '{"packages": {}}'):
        (pyodide / "pyodide-lock.json").write_text(text)
        assert cli.main(["playground", "--out", str(tmp_path / "play"), "--pyodide", str(pyodide)]) == 2
        assert "does not say where numpy and pillow are" in capsys.readouterr().err
    assert cli.main(["playground", "--out", str(tmp_path / "play"), "--pyodide", str(tmp_path / "no")]) == 2
    assert "expected a folder that holds Pyodide" in capsys.readouterr().err


def test_a_page_of_something_else_stays(tmp_path, capsys):
    (tmp_path / "index.html").write_text("mine")
    assert cli.main(["playground", "--out", str(tmp_path)]) == 2
    assert "is not of a playground; name another folder with --out" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    assert cli.main(["playground", "--out", str(tmp_path / "play")]) == 0
    assert cli.main(["playground", "--out", str(tmp_path / "play")]) == 0  # its own is written anew
    assert str(tmp_path / "play") in capsys.readouterr().out


@pytest.mark.parametrize("shown", (True, False))
def test_it_is_served_on_this_machine_alone_and_opened(shown, tmp_path, monkeypatch, capsys):
    site = tmp_path / "a folder"
    seen = {}

    def opened(address):
        # In a thread: the server answers once the command waits for it.
        def look():
            for name in ("", "worker.js", "package.zip"):
                with urllib.request.urlopen(address.replace("localhost", "127.0.0.1") + name) as answer:
                    seen[name] = (answer.headers["Content-Type"], answer.headers["Cache-Control"], answer.read())
            server.shutdown()

        threading.Thread(target=look).start()
        return shown

    def made(*words):
        nonlocal server
        server = real(*words)
        assert server.server_address[0] == "127.0.0.1"
        return server

    server, real = None, serve.server
    monkeypatch.setattr("webbrowser.open", opened)
    monkeypatch.setattr(serve, "server", made)
    assert cli.main(["playground", "--out", str(site), "--open"]) == 0
    assert [kind for kind, *_ in seen.values()] == ["text/html", "text/javascript", "application/zip"]
    assert {kept for _, kept, _ in seen.values()} == {"no-cache"}
    assert seen[""][2] == (site / "index.html").read_bytes()
    told = capsys.readouterr().out
    assert f"http://localhost:{server.server_address[1]}/" in told and ("no web browser" in told) is not shown


def test_a_port_that_is_taken_is_one_line(tmp_path, capsys):
    with serve.server(tmp_path) as taken:
        port = str(taken.server_address[1])
        assert cli.main(["playground", "--out", str(tmp_path / "play"), "--serve", "--port", port]) == 2
    assert f"port {port} cannot be used" in capsys.readouterr().err
    with pytest.raises(OSError, match="port 70000 cannot be used"):
        serve.server(tmp_path, 70000)


def test_a_port_that_cannot_be_is_refused_before_anything_is_written(tmp_path, capsys):
    assert cli.main(["playground", "--out", str(tmp_path / "play"), "--serve", "--port", "70000"]) == 2
    said = capsys.readouterr()
    assert "--port is 70000, expected an integer <= 65,535" in said.err
    assert not said.out and not (tmp_path / "play").exists()


def test_no_mathematics_of_the_subject_is_in_the_page():
    """Exponentials, roots and random numbers are where its formulas would be."""
    for name in ("page.js", "worker.js"):
        assert not re.search(r"Math\.(exp|log|sqrt|pow|random|cos|sin|tanh)", (ROOT / "playground" / name).read_text())
