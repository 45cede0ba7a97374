"""A record as a line of a table on the screen."""

from edudiff.bench.records import Record
from edudiff.support.tables import TextTable

TABLE = TextTable({"what": "<16", "back end": "<8", "seconds": ">9.4f", "memory": ">8", " compared with": ""})


def header() -> str:
    """The titles of the columns of `line`."""
    return TABLE.header


def line(record: Record) -> str:
    """One record as a line of the table."""
    said = []
    if "pairs_per_second" in record:
        said.append(f"{record['pairs_per_second']:.2g} pairs of windows a second")
    if "ratio" in record:
        said.append(f"{record['ratio']:.1f} times as fast as its peer ({record['peer_seconds']:.3g} s)")
    if "share" in record:
        said.append(f"{record['share']:.0%} of the speed of its two bare matrix products")
    memory = f"{record['memory_mb']:.0f} MB"
    return TABLE.row(record["what"], record["backend"], record["seconds"], memory, f" {'; '.join(said)}")
