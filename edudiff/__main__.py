"""`python -m edudiff ...` is `edudiff ...`."""

import sys

from edudiff.cli import main

sys.exit(main())
