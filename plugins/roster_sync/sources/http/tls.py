"""Why TLS failed: a certificate that only people can correct, or a broken connection, which passes."""

from __future__ import annotations

import ssl

from urllib3.util.ssl_match_hostname import CertificateError


def is_about_certificate(error: BaseException) -> bool:
    """Whether a certificate was refused, however deep requests and urllib3 have wrapped that."""
    todo: list[object] = [error]
    seen: set[int] = set()
    while todo:
        found = todo.pop()
        if isinstance(found, (ssl.SSLCertVerificationError, CertificateError)):
            return True
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            todo += [found.__cause__, found.__context__, getattr(found, "reason", None), *found.args]
    return False
