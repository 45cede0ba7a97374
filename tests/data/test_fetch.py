"""Downloads from a server on this machine: whole files arrive, everything else leaves nothing behind."""

import gzip
import hashlib
import io
import os
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from edudiff.data import fetch as fetching
from edudiff.data.fetch import fetch
from edudiff.data.registry import DATA_SETS, Download
from edudiff.support.locks import only_one

CONTENT = bytes(range(256)) * 40
PACKED = gzip.compress(CONTENT)


def tar(parts):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in parts.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


BATCHES = {"in/one.bin": b"1" * 5000, "in/two.bin": b"2" * 5000, "in/a/folder/three.bin": b"3" * 5000}
ARCHIVE = tar({**BATCHES, "../outside.bin": b"escaped", "in/readme.html": b"hello"})


@pytest.fixture
def server():
    """(address, list of paths asked for). /good serves files, /cut breaks off half way, /wrong has one byte changed."""
    pytest.importorskip("pooch")
    asked = []
    files = {"a.gz": PACKED, "set.tar.gz": ARCHIVE}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            _, kind, name = self.path.split("/")
            data = files.get(name)
            if data is None or kind == "missing":
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if kind == "wrong":
                data = b"x" + data[1:]
            self.wfile.write(data[: len(data) // 2] if kind == "cut" else data)

        def log_message(self, *args):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}", asked
    http.shutdown()
    http.server_close()


def md5(data):
    return hashlib.md5(data).hexdigest()


def register(monkeypatch, address, *kinds, sha256=None):
    checksum = f"sha256:{sha256 or hashlib.sha256(CONTENT).hexdigest()}"
    bases = tuple(f"{address}/{kind}/" for kind in kinds)
    sets = {
        "small": [Download("a.gz", bases, md5(PACKED), {"a.gz": checksum})],
        "packed": [
            Download(
                "set.tar.gz",
                bases,
                md5(ARCHIVE),
                dict.fromkeys(BATCHES, "size:5000") | {"in/one.bin": f"md5:{md5(b'1' * 5000)}"},
            )
        ],
    }
    monkeypatch.setattr(fetching, "DATA_SETS", sets)


def everything_under(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_file_is_fetched_once(server, tmp_path, monkeypatch, capsys):
    address, asked = server
    register(monkeypatch, address, "good")
    assert fetch("small", root=tmp_path) == tmp_path / "small"
    assert (tmp_path / "small" / "a.gz").read_bytes() == PACKED
    assert f"fetching {address}/good/a.gz" in capsys.readouterr().err
    fetch("small", root=tmp_path)
    assert len(asked) == 1
    assert everything_under(tmp_path) == ["small/a.gz"]


def test_a_damaged_file_is_fetched_again(server, tmp_path, monkeypatch):
    address, asked = server
    register(monkeypatch, address, "good")
    fetch("small", root=tmp_path, progress=False)
    flipped = [PACKED[:i] + bytes([PACKED[i] ^ 255]) + PACKED[i + 1 :] for i in range(0, len(PACKED), 9) if i != 9]
    for damaged in (PACKED[:-5], *flipped):
        asked.clear()
        (tmp_path / "small" / "a.gz").write_bytes(damaged)
        fetch("small", root=tmp_path, progress=False)
        assert gzip.decompress((tmp_path / "small" / "a.gz").read_bytes()) == CONTENT
    (tmp_path / "small" / "a.gz").write_bytes(PACKED[:-5])
    fetch("small", root=tmp_path, progress=False)
    assert asked


def test_an_archive_gives_only_the_files_that_are_named(server, tmp_path, monkeypatch):
    address, asked = server
    register(monkeypatch, address, "good")
    fetch("packed", root=tmp_path / "data", progress=False)
    assert everything_under(tmp_path) == [f"data/packed/{name}" for name in sorted(BATCHES)]
    assert (tmp_path / "data" / "packed" / "in" / "two.bin").read_bytes() == BATCHES["in/two.bin"]
    fetch("packed", root=tmp_path / "data", progress=False)
    assert len(asked) == 1
    (tmp_path / "data" / "packed" / "in" / "two.bin").write_bytes(b"2")
    fetch("packed", root=tmp_path / "data", progress=False)
    assert len(asked) == 2


@pytest.mark.parametrize("kind", ["cut", "wrong", "missing"])
def test_the_next_server_is_tried(server, tmp_path, monkeypatch, kind):
    address, asked = server
    register(monkeypatch, address, kind, "good")
    fetch("small", root=tmp_path, progress=False)
    assert asked == [f"/{kind}/a.gz", "/good/a.gz"]
    assert everything_under(tmp_path) == ["small/a.gz"]


@pytest.mark.parametrize("name", ["small", "packed"])
@pytest.mark.parametrize(
    ("kind", "error"), [("cut", ConnectionError), ("wrong", ValueError), ("missing", ConnectionError)]
)
def test_nothing_is_left_of_a_failed_download(server, tmp_path, monkeypatch, kind, error, name):
    address, _ = server
    register(monkeypatch, address, kind)
    with pytest.raises(error, match=f"could not fetch .*\n.*{kind}/"):
        fetch(name, root=tmp_path, progress=False)
    assert everything_under(tmp_path) == []


def test_contents_are_checked_after_unpacking(server, tmp_path, monkeypatch):
    address, _ = server
    register(monkeypatch, address, "good", sha256="0" * 64)
    with pytest.raises(ValueError, match=r"a\.gz of a\.gz does not have the checksum sha256:0000"):
        fetch("small", root=tmp_path, progress=False)
    assert everything_under(tmp_path) == []


def test_ctrl_c_leaves_nothing(server, tmp_path, monkeypatch):
    address, _ = server
    register(monkeypatch, address, "good")

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(fetching, "_unpack", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch("packed", root=tmp_path, progress=False)
    assert everything_under(tmp_path) == []


def test_fetch_refuses(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="name is 'minst', expected one of 'mnist'"):
        fetch("minst", root=tmp_path)
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r"pip install 'edudiff\[data\]'"):
        fetch("mnist", root=tmp_path)


def test_every_download_is_pinned():
    assert set(DATA_SETS) == {"mnist", "fashion_mnist", "cifar10"}
    for downloads in DATA_SETS.values():
        for download in downloads:
            assert len(download.md5) == 32
            assert all(base.startswith("http") and base.endswith("/") for base in download.bases)
            for checksum in download.unpacked.values():
                method, digest = checksum.split(":")
                assert len(digest) == {"md5": 32, "sha256": 64, "size": 8}[method]


def test_a_full_disk_is_called_so(server, tmp_path, monkeypatch):
    pooch = pytest.importorskip("pooch")
    register(monkeypatch, server[0], "good")

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pooch, "retrieve", full)
    with pytest.raises(OSError, match=r"no room for a\.gz in .*small: No space left .* name another --root"):
        fetch("small", root=tmp_path, progress=False)
    assert everything_under(tmp_path) == []


def test_what_a_killed_fetch_left_is_removed_by_the_next(server, tmp_path, monkeypatch):
    address, asked = server
    register(monkeypatch, address, "good")
    for times in (1, 1):  # also where nothing is missing any more
        (tmp_path / "small" / ".fetching-0123abcd").mkdir(parents=True)
        (tmp_path / "small" / ".fetching-0123abcd" / "a.gz").write_bytes(PACKED[:100])
        fetch("small", root=tmp_path, progress=False)
        assert everything_under(tmp_path) == ["small/a.gz"]
        assert [path.name for path in (tmp_path / "small").iterdir()] == ["a.gz"]
        assert len(asked) == times


def test_what_cannot_be_removed_is_in_nobodys_way(server, tmp_path, monkeypatch):
    address, _ = server
    register(monkeypatch, address, "good")
    (tmp_path / "small" / ".fetching-0123abcd").mkdir(parents=True)
    (tmp_path / "small" / ".fetching-0123abcd" / "held").write_bytes(b"")
    unlink = os.unlink

    def held(path, **place):
        if os.path.basename(path) == "held":
            raise PermissionError("another program has it open")
        unlink(path, **place)

    monkeypatch.setattr(os, "unlink", held)
    fetch("small", root=tmp_path, progress=False)
    assert everything_under(tmp_path) == ["small/.fetching-0123abcd/held", "small/a.gz"]


def test_two_at_once_do_not_meet(server, tmp_path, monkeypatch):
    address, asked = server
    register(monkeypatch, address, "good")
    (tmp_path / "small").mkdir()
    with only_one(tmp_path / "small", "--root"), pytest.raises(BlockingIOError, match="name another --root"):
        fetch("small", root=tmp_path, progress=False)
    assert asked == []
    fetch("small", root=tmp_path, progress=False)
    assert everything_under(tmp_path) == ["small/a.gz"]


def test_without_pooch_no_folder_is_made(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match="pooch"):
        fetch("mnist", root=tmp_path / "new")
    assert not (tmp_path / "new").exists()
