"""The command `python -m roster_sync.districts [PATH]`: checks a registry of districts."""

from __future__ import annotations

import sys

from roster_sync.config.districts import main

if __name__ == "__main__":
    sys.exit(main())
