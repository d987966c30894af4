"""The command `python -m roster_sync.migrations`: brings the portal database to this version."""

from __future__ import annotations

import sys

from roster_sync.database.migrations import main

if __name__ == "__main__":
    sys.exit(main())
