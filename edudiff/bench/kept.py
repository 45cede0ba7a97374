"""A record of speed that is kept in a file, and what became slower since: `edudiff bench --json`, then `--compare`.

Seconds of two runs on two evenings cannot be compared: the processor has another frequency, and other programs run
beside. So a measurement is paired with a calibration, work that no version of edudiff changes and that takes its turns
in the same rounds, and what is compared are quotients of processor time: how many calibrations a call is worth.
"""

import importlib.metadata
import json
import math
import platform
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import edudiff as ed
from edudiff.bench import records
from edudiff.bench.measure import usable
from edudiff.bench.records import Bench, Record
from edudiff.support.backends import has_numba
from edudiff.support.describe import described, shown
from edudiff.support.files import json_text, write_results
from edudiff.support.threads import blas_threads, cores

FORMAT = "edudiff bench 1"
SLOWER = 1.1  # times as much as in the record: what varies by less from run to run is no news
AGAIN = 2  # how often a case that seems slower is measured once more, before that is believed
FIELDS = {"processor": str, "cores": int, "system": str, "threads": dict, "packages": dict, "records": list}
MEASURED = {"seconds", "processor_seconds", "calibration_seconds", "memory_mb", "pairs_per_second"}
MEASURED |= {"product_seconds", "share"}  # all else says what was measured
VARIABLES = {"numba": "NUMBA_NUM_THREADS", "blas": "OPENBLAS_NUM_THREADS"}


@dataclass(frozen=True, repr=False)
class Kept:
    """A record that was kept: its `path`, the `about` of the run (see `about`), its `records`."""

    path: Path
    about: dict[str, Any]
    records: list[Record]

    def __repr__(self) -> str:
        return described(self, path=str(self.path), records=len(self.records))

    @property
    def cases(self) -> tuple[str, ...]:
        """The measurements that it holds, those of other versions of edudiff too."""
        return tuple(dict.fromkeys(record["what"] for record in self.records))


class Change(NamedTuple):
    """How many times the cost in the record one case has now, on one back end; `ratio` is None without a partner."""

    what: str
    backend: str
    ratio: float | None

    @property
    def slower(self) -> bool:
        """By more than a tenth?"""
        return self.ratio is not None and self.ratio > SLOWER


def about() -> dict[str, Any]:
    """What a record has to know of the run: the processor, the threads, the packages."""
    threads = {"numba": _numba_threads(), "blas": blas_threads()}
    packages = {name: _version(name) for name in ("numpy", "numba")}
    here = {"processor": _processor(), "cores": cores(), "system": platform.system(), "threads": threads}
    return here | {"packages": {"edudiff": ed.__version__, "python": platform.python_version(), **packages}}


def write(path: str | Path, found: list[Record], bench: Bench) -> None:
    """Keep the records of a run of `bench` as JSON."""
    write_results(path, {"format": FORMAT, **about(), "images": bench.images, "records": found})


def read(path: str | Path) -> Kept:
    """What `write` kept. Raises OSError if there is no such file, ValueError for one that holds anything else."""
    path = Path(path)
    named = shown(path)
    how = f"keep one with `edudiff bench --json {named}`"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no record {named}: {how}") from error
    except OSError as error:
        raise OSError(f"the record {named} cannot be read ({error.strerror}); name another file") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{named} holds no JSON ({error}), expected a record of speed: {how}") from error
    wrong = _wrong(found)
    if wrong:
        raise ValueError(f"{named} is no record of this format: {wrong}; {how} again")
    return Kept(path, found, found["records"])


def fitted(kept: Kept, bench: Bench) -> Bench:
    """`bench` with what it leaves open taken from the record: its cases and its number of images.

    Raises ValueError where the two cannot be compared: another processor or number of threads, cases that the record
    does not hold, other images, or no back end of it here.
    """
    here, path = about(), shown(kept.path)
    for name, told in (("processor", "processor"), ("cores", "number of cores"), ("system", "system")):
        if kept.about[name] != here[name]:
            raise ValueError(
                f"{path} is of another machine: its {told} is {kept.about[name]}, here {here[name]}; keep a record here"
            )
    for library, variable in VARIABLES.items():
        then, now = kept.about["threads"].get(library), here["threads"][library]
        if None not in (then, now) and then != now:
            raise ValueError(f"{path} was kept with {then} threads, here are {now}: set {variable}={then}")
    known = tuple(what for what in kept.cases if what in records.CASES)
    if not known:
        raise ValueError(f"{path} holds no case that is measured here: {', '.join(kept.cases) or 'nothing'}")
    if strange := [what for what in bench.cases if what not in known]:
        raise ValueError(f"cases is {', '.join(strange)}, expected some of {', '.join(known)}, which {path} holds")
    bench = replace(bench, cases=bench.cases or known)
    asked = kept.about.get("images")
    if bench.images not in (None, asked):
        raise ValueError(f"images is {bench.images}, expected {asked or 'the usual number'}, as in {path}")
    partners = [record for record in kept.records if record["what"] in bench.cases and usable(record["backend"])]
    if not partners:
        backends = ", ".join(sorted({record["backend"] for record in kept.records}))
        raise ValueError(f"{path} was kept with the back end {backends}, which cannot be used here: see `edudiff info`")
    for record in partners:
        kind = records.PATCH.get(record["what"], {}).get("kind", "gray")
        if "data" in record and record["data"] != (here_is := records.source(kind, bench.root)):
            raise ValueError(
                f"{path} was kept with images of {record['data']}, here are those of {here_is}: name their root"
            )
    return replace(bench, images=asked)


def differences(kept: Kept, bench: Bench) -> list[str]:
    """What is not the same as in the record and still lets it be compared, each in a line of its own."""
    here, then, lines = about()["packages"], kept.about["packages"], []
    for package in sorted(here.keys() & then.keys()):
        if here[package] != then[package]:
            lines.append(f"{package} was {then[package] or 'not there'}, is {here[package] or 'not there'}")
    for told, some in (
        ("in the record, but not measured now", [what for what in kept.cases if what not in bench.cases]),
        ("not in the record, so not measured", [what for what in records.CASES if what not in kept.cases]),
    ):
        lines += [f"{told}: {', '.join(some)}"] if some else []
    return lines


def changes(kept: Kept, found: Iterable[Record], bench: Bench) -> list[Change]:
    """How much each of the records `found` by a run of `bench` costs beside its partner in `kept`.

    A case that seems slower is measured `AGAIN` times more, and its least cost counts: what is slower is so each time.
    Partners that were measured otherwise, or have no other side, have the ratio None.
    """
    before, now = {_identity(record): record for record in kept.records}, {_name(record): record for record in found}
    costs = {name: _cost(record) for name, record in now.items()}

    def ratio(name):
        partner = before.get(_identity(now[name])) if name in now else None
        return costs[name] / _cost(partner) if partner else None

    for what in dict.fromkeys(what for what, _ in now):
        for _ in range(AGAIN):
            if not any((ratio(name) or 0) > SLOWER for name in now if name[0] == what):
                break
            for record in records.run(replace(bench, cases=(what,))):
                costs[_name(record)] = min(costs.get(_name(record), math.inf), _cost(record))
    missed = {_name(record): None for record in kept.records if record["what"] in bench.cases}
    return [Change(what, backend, ratio((what, backend))) for what, backend in {**now, **missed}]


def told(kept: Kept, found: list[Change]) -> list[str]:
    """Changes in words: what became slower, and quicker, by more than a tenth, what could not be compared, a sum."""
    lines, count = [], sum(change.ratio is not None for change in found)
    for change in found:
        what = f"{change.what} on {change.backend}"
        if change.ratio is None:
            lines.append(f"not compared: {what} has no partner that was measured alike")
        elif change.slower or change.ratio < 1 / SLOWER:
            lines.append(f"{'slower' if change.slower else 'quicker'}: {what} costs {change.ratio:.2f} times as much")
    slower = sum(change.slower for change in found)
    return [*lines, f"slower by more than {SLOWER - 1:.0%} than in {shown(kept.path)}: {slower} of {count}"]


def _cost(record):
    """How many calls of the calibration one call is worth; on a GPU, which other programs hardly slow, seconds."""
    if record["backend"] == "cupy":
        return record["seconds"]
    return record["processor_seconds"] / record["calibration_seconds"]


def _name(record):
    return record["what"], record["backend"]


def _identity(record):
    """All of a record that says what was measured, not how long it took."""
    same = {name: value for name, value in record.items() if name not in MEASURED}
    return json_text(dict(sorted(same.items())))


def _wrong(found):
    """What is wrong with a record that was read; nothing if it is right."""
    if not isinstance(found, dict):
        return f"it holds a {type(found).__name__}, expected an object"
    if found.get("format") != FORMAT:
        return f"its format is {found.get('format')!r}, expected {FORMAT!r}"
    for name, kind in FIELDS.items():
        if not isinstance(found.get(name), kind):
            return f"its {name} is {found.get(name)!r}"
    images = found.get("images")
    if images is not None and (type(images) is not int or images < 1):
        return f"its images is {images!r}"
    for record in found["records"]:
        if not isinstance(record, dict) or not all(isinstance(record.get(name), str) for name in ("what", "backend")):
            return f"one of its records is {record!r}"
        for name in ("seconds", "processor_seconds", "calibration_seconds"):
            value = record.get(name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
                return f"{name} of {record['what']} is {value!r}, expected a number above 0"
    return ""


def _processor():
    """What the processor calls itself, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _numba_threads():
    if not has_numba():
        return None
    import numba

    return numba.get_num_threads()


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
