"""The review page over HTTP: each person's own page, lines and pictures below a key of theirs, nothing else.

Whoever does not know a key finds nothing. Requests that another site makes a browser send are refused, by
host, origin and content type. Covers routes and refusals; what is answered is the desk's affair.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.requests import ClientDisconnect

from ssui_gen.curation.page.pictures import NAME
from ssui_gen.curation.serving.desk import Desk
from ssui_gen.errors import RecordError, SsuiError
from ssui_gen.jsonl import parse

LONGEST_BODY = 200_000
"""Bytes."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Hosts(NamedTuple):
    """What this server may be called, so that no other site's name leads here."""

    names: frozenset[str]
    """With the port, or without where any port will do, as behind a tunnel."""
    addresses: bool = False
    """Any IP address too: no name of a site is one."""

    def known(self, host: str) -> bool:
        name = host.lower()
        bare = re.sub(r":\d+$", "", name)
        return name in self.names or bare in self.names or (self.addresses and _is_address(bare))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


class _NobodysError(Exception):
    """A key that is nobody's, or a picture that is not there."""


router = APIRouter()


async def _desk(key: str, request: Request) -> Desk:
    """Whose key it is; each is compared whole, so that the time taken tells nothing of it."""
    desks: Mapping[str, Desk] = request.app.state.desks
    found = [one for known, one in desks.items() if hmac.compare_digest(known.encode(), key.encode())]
    if not found:
        raise _NobodysError
    return found[0]


At = Annotated[Desk, Depends(_desk)]


@router.get("/favicon.ico")
def icon() -> Response:
    """Browsers ask for one."""
    return Response(status_code=204)


@router.get("/{key}/")
def page(desk: At) -> Response:
    """The person's page, whole."""
    return HTMLResponse(desk.page())


@router.get("/{key}/lines")
def lines(desk: At, request: Request) -> Response:
    """What the person has said; 304 where the page knows it."""
    tag = f'"{desk.tag}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304)
    answer = desk.lines()
    return JSONResponse(answer.body, answer.status, {"ETag": tag})


@router.put("/{key}/lines")
async def put(desk: At, request: Request) -> Response:
    """Write one line."""
    entry = await _body(request)
    if isinstance(entry, Response):
        return entry
    answer = await run_in_threadpool(desk.put, entry)
    return JSONResponse(answer.body, answer.status)


@router.get("/{key}/pictures/{name}")
def picture(desk: At, name: str) -> Response:
    """A copy as agents saw it, by its content's name."""
    copy = NAME.fullmatch(name)
    data = desk.picture(name) if copy else None
    if not copy or not data:
        raise _NobodysError
    return Response(data, media_type=f"image/{copy[3]}")


def make_app(desks: Mapping[str, Desk], hosts: Hosts) -> FastAPI:
    """`desks` by key; nothing is answered under another name than one of `hosts`."""
    app = FastAPI(title="ssui review", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desks = desks
    app.include_router(router)

    @app.middleware("http")
    async def guard(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        response = _refused(request, hosts) or await answer(request)
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(SsuiError)
    def failed(request: Request, error: SsuiError) -> Response:
        return JSONResponse({"error": str(error)}, 500)

    @app.exception_handler(_NobodysError)
    def nothing(request: Request, error: _NobodysError) -> Response:
        return JSONResponse({"error": "nothing here: the address is the one that `ssui review` printed"}, 404)

    return app


def _refused(request: Request, hosts: Hosts) -> Response | None:
    host = request.headers.get("host", "")
    if not hosts.known(host):
        more = " or an IP address" if hosts.addresses else ""
        known = f"expected one of {', '.join(sorted(hosts.names))}{more} as the host"
        return JSONResponse({"error": known}, 421)
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != host:
        return JSONResponse({"error": "a page of another site may not ask here"}, 403)
    if (
        request.method == "PUT"
        and request.headers.get("content-type", "").split(";")[0] != "application/json"
    ):
        return JSONResponse({"error": "expected application/json"}, 415)
    return None


async def _body(request: Request) -> Any:
    """The JSON value of a request, or the refusal of what is none."""
    data = b""
    try:
        async for part in request.stream():
            data += part
            if len(data) > LONGEST_BODY:
                return JSONResponse({"error": f"expected at most {LONGEST_BODY:,} bytes"}, 413)
        return parse(data, "the body")
    except ClientDisconnect:
        return Response(status_code=400)
    except RecordError as error:
        return JSONResponse({"error": str(error)}, 400)
