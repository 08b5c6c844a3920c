"""Who may ask: hosts, origins and tokens, checked before anything of a request is read."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers

from vision_recipes.serving.http.answers import Refused

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
HEALTH = ("/v2/health/live", "/v2/health/ready")
"""Open to all, under any name: what asks is a cluster, by address, and all that it learns is yes or no."""
CHALLENGE = {"www-authenticate": 'Bearer realm="vision-serve", Basic realm="vision-serve", charset="UTF-8"'}


@dataclass(frozen=True)
class Gate:
    """`hosts` are the names that requests may be sent to, in lower case; "*" among them allows all. "" = no token."""

    hosts: Sequence[str] = LOCAL_NAMES
    token: str = ""

    def check(self, method: str, path: str, version: str, headers: Headers) -> None:
        """Raise Refused for a request that may not be answered; `version` is that of HTTP."""
        if path in HEALTH:
            return
        self._check_host(version, headers)
        self._check_origin(method, headers)
        if self.token and not self._is_token(headers.get("authorization", "")):
            raise Refused(401, "a token is required: send Authorization: Bearer TOKEN", CHALLENGE)

    def _check_host(self, version: str, headers: Headers) -> None:
        """DNS rebinding sends a browser here under a foreign name; a client of HTTP/1.0 without one is no browser."""
        given = headers.getlist("host")
        if not given and version == "1.0":
            return
        if len(given) != 1:
            raise Refused(400, f"the request has {len(given)} Host headers, not one")
        if "*" not in self.hosts and _name(given[0]) not in self.hosts:
            raise Refused(
                403, f"this server does not answer as {given[0][:100]!r}: allow the name with vision-serve --allow-host"
            )

    def _check_origin(self, method: str, headers: Headers) -> None:
        """Pages of other sites may link to this one, but may not ask in a visitor's name."""
        origin = headers.get("origin")
        foreign = method not in ("GET", "HEAD") and headers.get("sec-fetch-site") == "cross-site"
        if origin is not None:
            foreign = foreign or _address(origin.partition("://")[2]) != _address(headers.get("host", ""))
        if foreign:
            raise Refused(403, f"pages of {str(origin)[:100]!r} may not use this server")

    def _is_token(self, authorization: str) -> bool:
        """Take the token as a bearer's, or as the user name of basic authentication, as DSS sends API keys."""
        scheme, _blank, given = authorization.strip().partition(" ")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given.strip(), validate=True).decode("utf-8").partition(":")[0]
            except (binascii.Error, ValueError):
                return False
        elif scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.strip().encode("utf-8", "replace"), self.token.encode())


def _name(host: str) -> str:
    """Return a Host header's name: without a port, without the root's dot, in lower case."""
    host = host.strip().lower()
    name, colon, port = host.rpartition(":")
    if colon and (port.isdecimal() or not port) and (":" not in name or name.endswith("]")):
        host = name
    return host.removesuffix(".")


def _address(host: str) -> str:
    """Return a host with its port, if it is not the usual one of its scheme."""
    host = host.strip().lower()
    return host.removesuffix(":80").removesuffix(":443")
