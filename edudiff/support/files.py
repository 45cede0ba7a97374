"""Files that are written whole or not at all."""

import os
import secrets
from pathlib import Path
from typing import BinaryIO


class atomic:
    """`with atomic(path) as file`: a binary file that appears at `path` only if the block ends without an error."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"atomic({str(self.path)!r})"

    def __enter__(self) -> BinaryIO:
        self.temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.part")
        self.file = open(self.temporary, "xb")
        return self.file

    def __exit__(self, kind: type | None, error: object, trace: object) -> None:
        try:
            if kind is None:
                self.file.flush()
                os.fsync(self.file.fileno())
            self.file.close()
            if kind is None:
                os.replace(self.temporary, self.path)
        finally:
            if os.path.exists(self.temporary):
                os.unlink(self.temporary)
