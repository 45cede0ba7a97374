"""Print the lowest versions that setup.cfg allows, as constraints for pip: `numpy>=1.26` becomes `numpy==1.26`."""

import configparser
import re
from pathlib import Path


def lowest(path: Path) -> list[str]:
    """One line `name==version` for each requirement of the package and of its extra `all`; tools are left out."""
    config = configparser.ConfigParser()
    config.read(path, encoding="utf-8")
    extras = config["options.extras_require"]
    wanted = re.search(r"edudiff\[(.+)\]", extras["all"])[1].split(",")
    lines = "\n".join([config["options"]["install_requires"], *(extras[name] for name in (*wanted, "all"))])
    return sorted({f"{name}=={version}" for name, version in re.findall(r"^([\w-]+)(?:\[.+\])?>=(.+)$", lines, re.M)})


if __name__ == "__main__":
    print("\n".join(lowest(Path(__file__).parents[1] / "setup.cfg")))
