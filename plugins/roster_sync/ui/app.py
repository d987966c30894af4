"""The FastAPI app under /roster: nothing in it answers without an Airflow login, its documentation included."""

from __future__ import annotations

import logging
import mimetypes
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.core_api.security import requires_authenticated
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException as StarletteHTTPException

from roster_sync import __version__
from roster_sync.core.errors import DatabaseFailure, RosterError
from roster_sync.ui.api import routes
from roster_sync.ui.pages import (
    district_pages,
    profile_pages,
    roster_pages,
    run_pages,
    settings_pages,
    trend_pages,
    worklist_pages,
)
from roster_sync.ui.views import render
from roster_sync.ui.web.guard import SAFE_METHODS, Guard, is_own
from roster_sync.ui.web.pool import PortalUnreachable

PREFIX: Final = "/roster"
NOT_A_VALUE: Final = "22"
"""The class of SQLSTATEs of a value that its column cannot hold, such as a number beyond every id."""
UNREADABLE: Final = "Check your entries: one of them contains a character or a number that cannot be saved."
log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def app() -> FastAPI:
    """The app, made once a process."""
    made = FastAPI(
        title="Roster Sync",
        version=__version__,
        description="What the Roster Sync pages show and do, for programs. Every request needs an Airflow token.",
        dependencies=[Depends(requires_authenticated())],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # FastAPI shows whatever a route raises; ours say what to do, in a page or as JSON
        exception_handlers={
            StarletteHTTPException: _http_error,
            RequestValidationError: _invalid,
            PortalUnreachable: _unreachable,
            RosterError: _refused,
            ValueError: _unreadable,
        },
    )
    made.add_middleware(Guard)
    made.add_api_route("/static/{name}", static, include_in_schema=False)
    made.add_api_route("/openapi.json", openapi, include_in_schema=False)
    made.add_api_route("/docs", docs, include_in_schema=False)
    for part in (district_pages, settings_pages, run_pages, roster_pages, profile_pages, worklist_pages, trend_pages):
        made.include_router(part.router, include_in_schema=False)
    made.include_router(routes.router)
    return made


def static(name: str) -> Response:
    """A file of the pages. A route and not a mount: a mounted folder would answer without login."""
    path = render.STATIC / name
    if "/" in name or path.parent != render.STATIC or not path.is_file():
        raise HTTPException(404, "This file does not exist.")
    kind = mimetypes.guess_type(name)[0] or "text/plain"
    return FileResponse(path, media_type=kind, headers={"Cache-Control": "private, max-age=86400"})


def openapi(request: Request) -> JSONResponse:
    """The HTTP API as an OpenAPI document, for those who are logged in."""
    schema = dict(app().openapi())
    schema["servers"] = [{"url": str(request.scope.get("root_path", ""))}]
    return JSONResponse(schema)


def docs(request: Request) -> HTMLResponse:
    """The HTTP API as a page of our own: Swagger's would load from another host."""
    return render.page(request, "docs.html", operations=routes.operations(app().openapi()), title="HTTP API")


def _wants_json(request: Request) -> bool:
    return "/api/" in request.url.path or "text/html" not in request.headers.get("accept", "")


def _error_response(request: Request, status: int, sentence: str, **values: Any) -> Response:
    if render.is_part(request):
        return render.page(request, "problem_part.html", status, sentence=sentence, **values)
    if _wants_json(request):
        return JSONResponse({"detail": sentence}, status)
    return render.page(request, "problem.html", status, sentence=sentence, status=status, title="Error", **values)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)  # noqa: S101 - registered for this class only
    if error.status_code == 401:
        return _error_response(request, 401, "Log in to Airflow to see this page.", login=_login(request))
    return _error_response(request, error.status_code, str(error.detail))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    # The values themselves are not repeated: they may be names.
    fields = ", ".join(sorted({str(problem["loc"][-1]) for problem in error.errors()}))
    return _error_response(request, 422, f"Check your entries: {fields}.")


async def _unreachable(request: Request, error: Exception) -> Response:
    return _error_response(request, 503, str(error))


async def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, DatabaseFailure):
        if (error.sqlstate or "").startswith(NOT_A_VALUE):
            return _error_response(request, 422, UNREADABLE)
        log.error("%s", error)
        return _error_response(
            request, 500, "The portal's database refused this. The API server's log names the statement."
        )
    return _error_response(request, 409, str(error))


async def _unreadable(request: Request, error: Exception) -> Response:
    """A NUL character, which neither PostgreSQL nor the file system takes; any other ValueError is a bug of ours."""
    if "NUL" in str(error) or "null byte" in str(error):
        return _error_response(request, 422, UNREADABLE)
    raise error


def _login(request: Request) -> str:
    return str(get_auth_manager().get_url_login(next_url=_page_of(request)))


def _page_of(request: Request) -> str:
    """Where to go after the login: the page that was shown, never a part of one or a form's address."""
    shown = request.headers.get("hx-current-url", "")
    if render.is_part(request) and is_own(shown, request.headers.get("host", "")):
        return shown
    if request.method in SAFE_METHODS and not render.is_part(request):
        return str(request.url)
    key, base = request.path_params.get("key"), request.scope.get("root_path", "")
    path = f"{base}/districts/{quote(key, safe='')}" if key else f"{base}/"
    return str(request.url.replace(path=path, query=""))
