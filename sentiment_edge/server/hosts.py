"""Who may ask: the names that the server answers to, and the web pages that may use it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.middleware.cors import CORSMiddleware

from sentiment_edge.server.limits import RequestRefused
from sentiment_edge.server.requests import as_json
from sentiment_edge_runtimes.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.datastructures import Headers
    from starlette.responses import Response
    from starlette.types import ASGIApp, Scope

ANY = "*"
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.~%!$&'()*+,;=-]*)(?::[0-9]*)?")
"""A name, an IPv4 address or an IPv6 address in brackets, and perhaps a port."""
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[0-9]{1,5})?")
_PREFIX = re.compile(r"(/[A-Za-z0-9_.~!$&'()*+,;=:@-]+)+")
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask, and under which prefix of paths."""

    hosts: tuple[str, ...] = ()
    """Names that requests may be for, besides this machine's own for itself; `*` for any, and so is none, unless `local`."""
    origins: tuple[str, ...] = ()
    """Origins of the web pages that may use the server from a browser, besides its own; `*` for any."""
    root_path: str = ""
    """The prefix that a proxy puts before each path; paths without it are answered too."""
    local: bool = False
    """Whether only this machine reaches the server: a web page could do so by a name of its own that leads here."""

    def at(self, address: object) -> Access:
        """Return the same for a server that listens on this address, a socket's own."""
        return replace(self, local=isinstance(address, tuple) and _is_loopback(str(address[0])))


def access(hosts: Sequence[str], origins: Sequence[str], root_path: str) -> Access:
    """Return who may ask, given as users write it.

    Raises:
        OptionError: one of them is not of its form.
    """
    names = tuple(_checked_host(host) for host in hosts)
    return Access(names, tuple(_checked_origin(origin) for origin in origins), _checked_prefix(root_path))


class Gate:
    """Refuses requests for another host, and those that pages of other origins send without asking."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._allowed = lru_cache(maxsize=256)(self._is_allowed)  # a host is almost always one of few

    def check(self, scope: Scope) -> None:
        """Let a request pass.

        Raises:
            RequestRefused: it may not.
        """
        host: bytes | None = None
        origin = site = b""
        for name, value in scope["headers"]:
            if name == b"host":
                if host is not None:
                    raise RequestRefused(400, "the request has several Host headers")
                host = value
            elif name == b"origin":
                origin = value
            elif name == b"sec-fetch-site":
                site = value
        if host is not None or scope["http_version"] != "1.0":
            self._check_host(scope, host)
        if origin and scope["method"] == "POST":
            self._check_origin(host or b"", origin, site)

    def _check_host(self, scope: Scope, host: bytes | None) -> None:
        if host is None:
            raise RequestRefused(400, "the request has no Host header")
        found = _HOST.fullmatch(host)
        if found is None:
            raise RequestRefused(400, "the request's Host header is not a host")
        if not self._allowed(found[1], _address(scope)):
            name = found[1].decode("ascii")[:_SHOWN]
            if not name:
                raise RequestRefused(403, "the request's Host header is empty, and this server answers for few hosts alone")
            raise RequestRefused(403, f"this server does not answer for the host {name!r}; start it with --allow-host {name}")

    def _is_allowed(self, host: bytes, own: str | None) -> bool:
        hosts = self._access.hosts
        if ANY in hosts or not (hosts or self._access.local):
            return True
        name = host.decode("ascii").lower().removesuffix(".").strip("[]")
        return name == "localhost" or name in hosts or _is_loopback(name) or (own is not None and name == own)

    def _check_origin(self, host: bytes, origin: bytes, site: bytes) -> None:
        """Refuse what a page of another origin sends.

        Browsers tell the page's origin with each POST, and most tell whether it is the server's own, which a proxy that
        changes the host does not spoil.
        """
        named = origin.decode("latin-1")
        if ANY in self._access.origins or named in self._access.origins:
            return
        own = site in {b"same-origin", b"none"} if site else origin.partition(b"://")[2].lower() == host.lower()
        if not own:
            raise RequestRefused(
                403, f"pages of {named[:_SHOWN]!r} may not use this server; start it with --cors-origin {named[:_SHOWN]}"
            )


class Cors(CORSMiddleware):
    """Starlette's answers to browsers, with refusals in JSON like all others."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST"),
            allow_headers=("Content-Encoding",),
            allow_private_network=True,
            expose_headers=("Retry-After",),
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return the answer to a browser that asks what it may send."""
        response = super().preflight_response(request_headers)
        if response.status_code == 200:  # noqa: PLR2004
            return response
        headers = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
        reason = bytes(response.body).decode().removeprefix("Disallowed CORS ")
        return as_json({"error": f"pages of other origins may not send this: refused {reason}"}, response.status_code, headers)


def _address(scope: Scope) -> str | None:
    """Return the address of this machine that the request came to."""
    server = scope.get("server")
    return server[0] if server else None


def _ip(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def _is_loopback(name: str) -> bool:
    address = _ip(name)
    return address is not None and (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _checked_host(host: str) -> str:
    name = host.lower().removesuffix(".").removeprefix("[").removesuffix("]")
    if name != ANY and _ip(name) is None and not _NAME.fullmatch(name):
        example = "a name such as sentiment.example.com, without a port, or * for any"
        raise OptionError("allow_host", f"{host[:_SHOWN]!r} is no host; give {example}")
    return name


def _checked_origin(origin: str) -> str:
    checked = origin.lower().removesuffix("/")
    if checked != ANY and not _ORIGIN.fullmatch(checked):
        example = "one such as https://app.example.com, or * for any"
        raise OptionError("cors_origin", f"{origin[:_SHOWN]!r} is no origin; give {example}")
    default = {"http": ":80", "https": ":443"}.get(urlsplit(checked).scheme)  # browsers leave it out
    return checked.removesuffix(default) if default else checked


def _checked_prefix(root_path: str) -> str:
    prefix = root_path.removesuffix("/")
    if prefix and not _PREFIX.fullmatch(prefix):
        raise OptionError("root_path", f"{root_path[:_SHOWN]!r} is no prefix of paths; give one such as /sentiment")
    return prefix
