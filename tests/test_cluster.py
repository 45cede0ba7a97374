"""A training set on a Dask cluster of real processes is the same denoiser, whoever holds a part, and whoever dies."""

import functools
import multiprocessing
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import edudiff as ed
from edudiff import cli, cluster
from edudiff.cluster import shard as remote
from edudiff.cluster.client import workers
from edudiff.cluster.identity import PARTS, Identity, fingerprint, identity
from edudiff.compare import calibrate
from edudiff.data import load_range
from edudiff.denoisers import ByLabel, Ideal, Linear, Patch
from edudiff.support.random import streams

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")

if "forkserver" in multiprocessing.get_all_start_methods():  # workers begin with what they need, and need not load it
    dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})

SCHEDULE = ed.schedule.cosine()
TIMES = SCHEDULE.times(6)
IMAGES = np.random.default_rng(0).uniform(-1, 1, (11, 8, 7, 1)).astype(np.float32)
LEVEL = (0.8, 0.6)
STARTS = 120  # seconds that a worker may need to start on a busy machine
patch = functools.partial(Patch, window=3, backend="numpy")
on_any = functools.partial(Patch, window=3)


@pytest.fixture(scope="module")
def client():
    with distributed.Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        yield client


@pytest.fixture
def read(tmp_path):
    np.save(tmp_path / "set.npy", IMAGES)
    return functools.partial(load_range, tmp_path / "set.npy")


def noise(count=2):
    return ed.reverse.start(SCHEDULE, (count, *IMAGES.shape[1:]), streams(0, count))


@pytest.mark.parametrize("make", (patch, Ideal), ids=("patch", "ideal"))
def test_any_number_of_shards_is_the_whole_set(client, read, make):
    x = noise()
    whole = make(IMAGES)(x, *LEVEL)
    for shards in (None, 1, 3, 11):
        spread = cluster.Sharded(client, read, 11, make, shards)
        np.testing.assert_allclose(spread(x, *LEVEL), whole, atol=1e-7, rtol=0)
    answer = spread(x.astype(np.float32), *LEVEL)
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, whole, atol=1e-5)


def test_the_order_of_the_training_set_does_not_matter(client, read, tmp_path):
    np.save(tmp_path / "mixed.npy", IMAGES[np.random.default_rng(1).permutation(11)])
    mixed = functools.partial(load_range, tmp_path / "mixed.npy")
    one, other = (cluster.Sharded(client, r, 11, patch, 3)(noise(), *LEVEL) for r in (read, mixed))
    np.testing.assert_allclose(one, other, atol=1e-7, rtol=0)


def test_shards_are_spread_evenly_and_made_once(client, read):
    spread = cluster.Sharded(client, read, 11, patch, 5)
    homes = list(spread.spread.homes.values())
    assert sorted(homes.count(home) for home in workers(client)) == [2, 3]
    kept = dict(spread.spread.kept)
    for _ in range(3):
        spread(noise(), *LEVEL)
    assert spread.spread.kept == kept
    held = client.who_has(list(kept.values()))
    assert {held[kept[i].key] for i in kept} == {(home,) for home in workers(client)}


def test_a_worker_killed_in_the_middle_of_a_picture_changes_nothing_but_the_time(client, read):
    x = noise()
    whole = ed.reverse.sample(patch(IMAGES), SCHEDULE, x, TIMES)
    spread = cluster.Sharded(client, read, 11, patch, 2)
    victim = spread.spread.homes[0]
    pids = client.run(os.getpid)
    for step in ed.reverse.steps(spread, SCHEDULE, x, TIMES):
        if step.i == 1:
            os.kill(pids[victim], signal.SIGKILL)
    assert victim not in workers(client)
    assert victim not in spread.spread.homes.values()
    np.testing.assert_allclose(step.x_next, whole, atol=1e-6, rtol=0)
    client.wait_for_workers(2, timeout=STARTS)
    np.testing.assert_allclose(spread(x, *LEVEL), patch(IMAGES)(x, *LEVEL), atol=1e-7, rtol=0)
    assert len(set(spread.spread.homes.values())) == 2  # the new worker has taken a shard over


def test_a_shard_that_could_not_be_read_is_read_once_it_can_be(client, read, tmp_path):
    x = noise()
    spread = cluster.Sharded(client, read, 11, patch, 2)
    (tmp_path / "set.npy").rename(tmp_path / "away.npy")
    os.kill(client.run(os.getpid)[spread.spread.homes[0]], signal.SIGKILL)
    time.sleep(0.5)
    with pytest.raises(FileNotFoundError):
        spread(x, *LEVEL)
    (tmp_path / "away.npy").rename(tmp_path / "set.npy")
    np.testing.assert_allclose(spread(x, *LEVEL), patch(IMAGES)(x, *LEVEL), atol=1e-7, rtol=0)
    client.wait_for_workers(2, timeout=STARTS)


def test_a_killed_worker_repeats_what_it_was_computing(client, read, tmp_path):
    """Killed while it computes, not between two calls."""
    marker = tmp_path / "seen"

    def slow_once(images):
        denoiser = patch(images)

        class Slow:
            def partial(self, x, alpha, sigma):
                if not marker.exists():
                    marker.touch()
                    time.sleep(60)
                return denoiser.partial(x, alpha, sigma)

        return Slow()

    spread = cluster.Sharded(client, read, 11, slow_once, 1)
    pid = client.run(os.getpid)[spread.spread.homes[0]]
    watch = f"for i in $(seq 2400); do if [ -e {marker} ]; then kill -9 {pid}; exit; fi; sleep 0.05; done; exit 1"
    killer = subprocess.Popen(["sh", "-c", watch])
    np.testing.assert_allclose(spread(noise(), *LEVEL), patch(IMAGES)(noise(), *LEVEL), atol=1e-7, rtol=0)
    assert killer.wait(timeout=10) == 0


def test_calibration_on_a_cluster_finds_the_same_windows(client, read):
    secret = Patch(IMAGES, window=lambda alpha, sigma: 5 if sigma > alpha else 3, backend="numpy")
    spread = cluster.Sharded(client, read, 11, patch)
    found = [calibrate(secret, p, SCHEDULE, noise(), TIMES, [3, 5, 7]) for p in (spread, patch(IMAGES))]
    assert found[0] == found[1]
    assert set(found[0].windows) == {3, 5}
    answers, alone = (p.sweep(noise(), *LEVEL, [3, 7]) for p in (spread, patch(IMAGES)))
    for size in (3, 7):
        np.testing.assert_allclose(answers[size], alone[size], atol=1e-7, rtol=0)


def test_pictures_never_travel(read):
    """What a worker sends to another is the recipe, from which the other reads its own pictures."""
    shard = remote.prepare(remote.Shard(read, patch, 2, 9))
    assert sys.getsizeof(shard) > IMAGES[2:9].nbytes
    sent = pickle.dumps(shard)
    assert len(sent) < 1000 < IMAGES[2:9].nbytes
    there = pickle.loads(sent)
    assert there._made is None
    np.testing.assert_array_equal(there.made()[0], IMAGES[2:9])


def test_a_worker_with_a_gpu_keeps_its_shard_there(read, standin_cupy, monkeypatch):
    monkeypatch.setattr(remote, "has_gpu", lambda: True)
    monkeypatch.setattr(remote, "has_numba", lambda: False)
    shard = remote.Shard(read, on_any, 0, 11)
    assert isinstance(shard.made()[0], standin_cupy.ndarray)
    [part] = remote.parts(shard, noise(), *LEVEL)
    assert all(type(a) is np.ndarray for a in part)
    for a, b in zip(part, patch(IMAGES).partial(noise(), *LEVEL), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7, rtol=0)
    on_host = remote.Shard(read, on_any, 0, 11, gpu=False)
    assert type(on_host.made()[0]) is np.ndarray


def test_a_worker_uses_its_own_number_of_threads(client):
    numba = pytest.importorskip("numba")

    def inside():
        with remote.worker_threads():
            within = numba.get_num_threads()
        return within, numba.get_num_threads()

    within, after = client.submit(inside, pure=False).result()
    assert within == 1
    assert after == numba.config.NUMBA_NUM_THREADS


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"count": 0}, ValueError, "count is 0"),
        ({"count": 2.0}, TypeError, r"count is 2\.0"),
        ({"shards": 0}, ValueError, "shards is 0"),
        ({"shards": 12}, ValueError, "12 shards for 11 images, expected at most one shard for each image"),
        ({"count": 12}, ValueError, "has 11 pictures here"),
        ({"make": lambda images: Patch(images, window=4)}, ValueError, "window size is 4"),
        ({"read": functools.partial(load_range, "nowhere")}, FileNotFoundError, "'nowhere' is none of mnist"),
        ({"read": lambda first, last: IMAGES[:0]}, ValueError, "empty"),
        (
            {"read": lambda first, last: IMAGES[:3]},
            ValueError,
            r"read\(0, 5\) returned images of shape \(3, 8, 7, 1\)",
        ),
        ({"read": lambda first, last: IMAGES[first:last, first:]}, ValueError, "one shape in all shards"),
    ],
)
def test_bad_training_sets_are_refused_here(client, read, arguments, error, says):
    with pytest.raises(error, match=says):
        cluster.Sharded(client, **{"read": read, "count": 11, "make": patch, "shards": 2, **arguments})


def test_bad_batches_are_refused_here(client, read):
    spread = cluster.Sharded(client, read, 11, patch)
    with pytest.raises(ValueError, match=r"x has shape \(2, 7, 7, 1\), expected \(B, 8, 7, 1\)"):
        spread(noise()[:, :7], *LEVEL)
    with pytest.raises(ValueError, match="sigma is 0"):
        spread(noise(), 1.0, 0.0)
    with pytest.raises(ValueError, match="windows is empty"):
        spread.sweep(noise(), *LEVEL, [])


LABELS = np.array([2, 0, 0, 2, 5, 2, 0, 2, 2, 0, 0])  # the only image of class 5 is in one shard of three


@pytest.fixture
def labeled(tmp_path):
    np.savez(tmp_path / "labeled.npz", images=IMAGES, labels=LABELS)
    return functools.partial(load_range, tmp_path / "labeled.npz", labels=True)


@pytest.mark.parametrize("make", (patch, Ideal), ids=("patch", "ideal"))
def test_one_class_of_a_cluster_is_the_class_of_the_whole_set(client, labeled, make):
    x, whole = noise(), make(IMAGES, labels=LABELS)
    spread = cluster.Sharded(client, labeled, 11, make, 3)
    np.testing.assert_allclose(spread(x, *LEVEL), whole(x, *LEVEL), atol=1e-7, rtol=0)
    for label in (0, 2, np.int64(5)):
        one = spread.conditional(label)
        np.testing.assert_allclose(one(x, *LEVEL), whole.conditional(label)(x, *LEVEL), atol=1e-6, rtol=0)
        np.testing.assert_allclose(one.entropy(x, *LEVEL), whole.conditional(label).entropy(x, *LEVEL), atol=1e-6)
    assert repr(one).endswith("shards=3, label=5)")
    both = [ByLabel(d.conditional, [5, 2])(x, *LEVEL) for d in (spread, whole)]
    np.testing.assert_allclose(*both, atol=1e-6, rtol=0)


def test_a_class_that_is_not_there_is_refused_here(client, read, labeled):
    with pytest.raises(ValueError, match="class 3 was asked of a denoiser on a cluster whose images have no classes"):
        cluster.Sharded(client, read, 11, patch).conditional(3)
    with pytest.raises(ValueError, match="label is 3, expected one of 0, 2, 5"):
        cluster.Sharded(client, labeled, 11, patch, 3).conditional(3)


def test_linear_denoisers_of_a_cluster_are_those_of_the_whole_set(client, labeled):
    x, found = noise(), cluster.scatters(client, labeled, 11, 3)
    assert {label: one.count for label, one in found.items()} == {None: 11, 0: 5, 2: 5, 5: 1}
    for label, one in found.items():
        whole = Linear.fit(IMAGES if label is None else IMAGES[label == LABELS])
        for alpha, sigma in ((0.8, 0.6), (0.999, 0.01), (0.0, 1.0)):
            np.testing.assert_allclose(one.linear()(x, alpha, sigma), whole(x, alpha, sigma), atol=1e-9, rtol=0)


def test_formulas_that_do_not_merge_are_refused_here(client, read):
    with pytest.raises(TypeError, match=r"no method partial, so a cluster cannot share it; for Linear.*scatters"):
        cluster.Sharded(client, read, 11, Linear.fit)


def test_errors_name_their_worker(client, read):
    class Particular(Exception):
        def __init__(self, one, other):
            super().__init__(f"{one} and {other}")

    def fail(images):
        raise Particular("this", "that")

    with pytest.raises(FileNotFoundError, match=r"worker tcp://127\.0\.0\.1:\d+: 'nowhere' is none of"):
        cluster.Sharded(client, functools.partial(load_range, "nowhere"), 11, patch)
    with pytest.raises(RuntimeError, match=r"Particular on worker tcp://127\.0\.0\.1:\d+: this and that"):
        cluster.Sharded(client, read, 11, fail)


@pytest.mark.parametrize("other", (("0.0.9", None), (None, "0" * 64)), ids=("version", "formulas"))
def test_a_worker_with_other_formulas_is_refused_by_name(client, read, other):
    """Of one that joins later too, when it is given a shard."""
    victim = sorted(workers(client))[0]
    mine = identity()
    pretended = Identity(*(theirs or ours for theirs, ours in zip(other, mine, strict=True)))

    def pretend(identity):
        remote.identity = identity

    client.run(pretend, lambda: pretended, workers=[victim])
    try:
        with pytest.raises(ValueError, match=rf"worker {victim}: it has edudiff {pretended.version} .*the client has"):
            cluster.Sharded(client, read, 11, patch, 2)
    finally:
        client.run(pretend, identity, workers=[victim])
    spread = cluster.Sharded(client, read, 11, patch, 2)
    np.testing.assert_allclose(spread(noise(), *LEVEL), patch(IMAGES)(noise(), *LEVEL), atol=1e-7, rtol=0)


def test_a_fingerprint_is_that_of_the_formulas(tmp_path):
    package = Path(ed.__file__).parent
    for name in PARTS:
        copy = shutil.copytree if (package / name).is_dir() else shutil.copy
        copy(package / name, tmp_path / name)
    assert fingerprint(tmp_path) == identity().fingerprint
    (tmp_path / "notes.txt").write_text("nothing that runs")
    windows = tmp_path / "denoisers" / "patch.py"
    text = windows.read_bytes()
    windows.write_bytes(text.replace(b"\n", b"\r\n"))
    assert fingerprint(tmp_path) == identity().fingerprint
    for place in (windows, tmp_path / "fast" / "patch.py", tmp_path / "scores.py"):
        before = place.read_bytes()
        place.write_bytes(before + b"\n")
        assert fingerprint(tmp_path) != identity().fingerprint
        place.write_bytes(before)
    windows.rename(windows.with_name("other.py"))
    assert fingerprint(tmp_path) != identity().fingerprint


def test_when_all_workers_are_lost_it_waits_for_so_long_and_no_longer(read, tmp_path):
    """In the middle of an answer, and before the next one."""
    marker = tmp_path / "computing"

    def slow(images):
        denoiser = patch(images)

        class Slow:
            def partial(self, x, alpha, sigma):
                marker.touch()
                time.sleep(600)
                return denoiser.partial(x, alpha, sigma)

        return Slow()

    kept = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(**kept) as local, distributed.Client(local) as client:
        spread = cluster.Sharded(client, read, 11, slow, 2, patience=1.5)

        def lose():
            for _ in range(1200):
                if marker.exists():
                    local.sync(local.scale, 0)
                    return
                time.sleep(0.05)

        killer = threading.Thread(target=lose, daemon=True)
        killer.start()
        begun = time.monotonic()
        with pytest.raises(ConnectionError, match=r"all workers .* were lost, and none came back within 1\.5 s"):
            spread(noise(), *LEVEL)
        assert time.monotonic() - begun < 90
        with pytest.raises(ConnectionError, match=r"has had no workers for 1\.5 s"):
            spread(noise(), *LEVEL)
        killer.join(timeout=10)


def test_it_says_what_it_is(client, read):
    spread = cluster.Sharded(client, read, 11, Ideal, 3)
    assert repr(spread).startswith("Sharded(images=(11, 8, 7, 1), make=<class ")
    assert repr(spread).endswith(", shards=3)")


def test_command_line(client, tmp_path, capsys):
    address = client.scheduler.address
    sample = ["sample", "--images", "5", "--size", "14", "--seeds", "1", "--steps", "2", "--backend", "numpy"]
    for where, extra in (("here", []), ("there", ["--scheduler", address])):
        assert cli.main([*sample, "--denoiser", "els", "--out", str(tmp_path / where), *extra]) == 0
    one, other = (np.load(tmp_path / where / "images.npz")["els"] for where in ("here", "there"))
    np.testing.assert_allclose(other, one, atol=1e-5)
    train = [
        "--channels",
        "4",
        "--depth",
        "1",
        "--train-steps",
        "2",
        "--batch",
        "4",
        "--calibration",
        "1",
        "--denoisers",
        "els",
    ]
    out = ["--scheduler", address, "--out", str(tmp_path / "compared")]
    assert cli.main(["compare", *sample[1:], *train, "linear", *out]) == 0
    capsys.readouterr()
    assert cli.main([*sample, "--scheduler", address, "--backend", "cupy"]) == 2
    assert "leave it out" in capsys.readouterr().err
    for argv in (["--denoiser", "masked"], ["--denoiser", "network", "--checkpoint", str(tmp_path / "compared")]):
        assert cli.main([*sample, *argv, "--scheduler", address, "--out", str(tmp_path / "new")]) == 2
        assert f"a cluster cannot share the denoiser '{argv[1]}'" in capsys.readouterr().err
    assert cli.main(["compare", *sample[1:], "--denoisers", "masked", *out[:2], "--out", str(tmp_path / "new")]) == 2
    assert "'masked' with a scheduler, which a cluster cannot share" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ("els", "linear", "ideal"))
def test_command_line_by_class(client, tmp_path, name, labeled):
    sample = ["sample", "--data", str(tmp_path / "labeled.npz"), "--images", "11", "--by-class", "--backend", "numpy"]
    sample += ["--seeds", "4", "--steps", "2", "--denoiser", name]
    for where, extra in (("here", []), ("there", ["--scheduler", client.scheduler.address])):
        assert cli.main([*sample, "--out", str(tmp_path / where), *extra]) == 0
    one, other = (np.load(tmp_path / where / "images.npz")[name] for where in ("here", "there"))
    np.testing.assert_allclose(other, one, atol=1e-5)


def test_no_scheduler_is_one_line_at_once(monkeypatch, capsys, tmp_path):
    begun = time.perf_counter()
    with pytest.raises(ConnectionError, match=r"answers at 'tcp://127\.0\.0\.1:9' .*`dask scheduler`"):
        cluster.connect("tcp://127.0.0.1:9", timeout=0.3)
    with pytest.raises(ConnectionError, match="no Dask scheduler answers at 'no address'"):
        cluster.connect("no address", timeout=0.3)
    assert time.perf_counter() - begun < 20  # a client waits 30 s by default
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["sample", "--scheduler", "local", "--images", "4", "--size", "14"]) == 2
    assert "pip install 'edudiff[cluster]'" in capsys.readouterr().err


def test_a_scheduler_lost_in_the_middle_is_a_clear_error(read):
    """And one without workers is another."""
    code = (
        "import time; from distributed import LocalCluster; c = LocalCluster(n_workers=0, processes=False,"
        " protocol='tcp', dashboard_address=None); print(c.scheduler_address, flush=True); input();"
        " c.scale(1); time.sleep(60)"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    process = subprocess.Popen([sys.executable, "-c", code], **pipes)
    try:
        address = process.stdout.readline().strip()
        with pytest.raises(ConnectionError, match=r"has had no workers for 1.5 s.*dask worker"):
            cluster.connect(address, timeout=1.5)
        process.stdin.write("\n")
        process.stdin.flush()
        lost = cluster.connect(address, timeout=15)
        spread = cluster.Sharded(lost, read, 11, patch)
        with pytest.raises(ConnectionError, match=r"scheduler was lost in the middle.*dask scheduler"):
            for step in ed.reverse.steps(spread, SCHEDULE, noise(), TIMES):
                if step.i == 1:
                    process.kill()
                    process.wait()
                    time.sleep(0.3)  # a client that has noticed does not wait for its scheduler to come back
        lost.close(timeout=1)
    finally:
        process.kill()
