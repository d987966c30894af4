"""Tells the data team that a run is late. Called by the triggerer, which must be able to import this module."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

ALERTS_VARIABLE: Final = "ROSTER_ALERTS_TO"


async def tell_late(context: Context, district: str, hours: float) -> None:
    """Logs it, and mails it to the addresses of ROSTER_ALERTS_TO, if there are any."""
    sentence = f"The roster sync of district {district} has not finished after {hours:g} hours."
    log.error("%s See docs/runbooks/late-run.md.", sentence)
    recipients = os.environ.get(ALERTS_VARIABLE, "").strip()
    if not recipients:
        return
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    body = f"<p>{sentence}</p><p>What to do: docs/runbooks/late-run.md</p>"
    await SmtpNotifier(to=recipients, subject=sentence, html_content=body).async_notify(context)
