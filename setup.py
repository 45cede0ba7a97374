"""What setup.cfg cannot say: a wheel takes the assignments of lessons/ along, and the README's links become addresses.

An editable install copies nothing: it is one line that names this folder, which type checkers follow, and
`edudiff.course.shipped` finds the assignments in lessons/.
"""

import configparser
import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
LINK = re.compile(r"(!?)(\[[^]]*\])\((?!\w+:|#)([^)\s]+)\)")


def readme() -> str:
    """The README as the package index shows it: what it links to lies in the repository, at this version's tag."""
    config = configparser.ConfigParser()
    config.read(HERE / "setup.cfg", encoding="utf-8")
    address = config["metadata"]["url"]
    package = (HERE / "edudiff" / "__init__.py").read_text(encoding="utf-8")
    [version] = re.findall(r'^__version__ = "(.+)"$', package, re.MULTILINE)

    def absolute(link: re.Match) -> str:
        image, text, path = link.groups()
        return f"{image}{text}({address}/{'raw' if image else 'blob'}/v{version}/{path})"

    return LINK.sub(absolute, (HERE / "README.md").read_text(encoding="utf-8"))


class WithAssignments(build_py):
    """Builds the packages, and puts lessons/assignments into edudiff/course of what is built."""

    def run(self) -> None:
        """Build; in an editable install nothing is added."""
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib, "edudiff", "course", "assignments")
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(HERE / "lessons" / "assignments", target, ignore=shutil.ignore_patterns("__*__", "*.toml"))


if __name__ == "__main__":
    setup(long_description=readme(), cmdclass={"build_py": WithAssignments})
