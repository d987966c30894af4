"""Where this installation keeps what it makes: ROSTER_HOME, `var/` in the checkout where it names none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[3]


def roster_home() -> Path:
    """ROSTER_HOME; a relative one counts from the working folder, as in the shell."""
    return Path(os.environ.get("ROSTER_HOME") or REPOSITORY / "var").expanduser().resolve()


def docs_folder() -> Path:
    """Where the Data Docs are, one folder per district; workers write them and the API server shows them."""
    return roster_home() / "data_docs"
