"""Files that are written whole or not at all."""

import os
import secrets
from pathlib import Path


class atomic:
    """`with atomic(path) as file`: a binary file that appears at `path` only if the block ends without an error."""

    def __init__(self, path):
        self.path = Path(path)

    def __enter__(self):
        self.temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.part")
        self.file = open(self.temporary, "xb")
        return self.file

    def __exit__(self, kind, error, trace):
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
