"""HTTP connections: proxies and certificates from the environment, few redirects, errors that say what to do."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from vision_recipes.errors import DownloadError

MAX_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)


class TransientError(Exception):
    """A transfer failed in a way that another attempt may not; `after` is how long the server asks to wait, seconds."""

    after = 0.0


def without_credentials(url: str) -> str:
    """Return an address without the name and password that may be in it."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def connect(url: str, headers: dict[str, str], timeout: tuple[float, float]) -> Any:
    """Return the response at the end of at most MAX_REDIRECTS redirects, to http or https and never from https to http.

    `timeout` is for connecting and for each read, in seconds. Raises DownloadError, or TransientError when another
    attempt may succeed.
    """
    import requests

    session = requests.Session()
    bundle = os.environ.get("SSL_CERT_FILE")
    if bundle and not (os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")):
        session.verify = bundle
    for _redirect in range(MAX_REDIRECTS + 1):
        address = without_credentials(url)
        if urlsplit(url).scheme not in ("http", "https"):
            raise DownloadError(f"{address} is neither an http nor an https address, so it is not followed.")
        try:
            response = session.get(url, headers=headers, stream=True, timeout=timeout, allow_redirects=False)
        except requests.RequestException as err:
            raise _explained(url, err) from err
        if response.status_code not in REDIRECTS:
            return response
        response.close()
        following = urljoin(url, response.headers.get("Location", ""))
        if urlsplit(url).scheme == "https" and urlsplit(following).scheme == "http":
            raise DownloadError(
                f"{address} redirects to {without_credentials(following)}, which is not encrypted, "
                "so it is not followed."
            )
        url = following
    raise DownloadError(f"{address} redirects more than {MAX_REDIRECTS} times. Check the address and the proxy.")


def chunks(response: Any) -> Iterator[bytes]:
    """Yield the bytes of a response as they come, not decompressed."""
    import urllib3

    try:
        while chunk := response.raw.read1(1 << 16, decode_content=False):
            yield chunk
    except (urllib3.exceptions.HTTPError, OSError) as err:
        raise TransientError(f"the connection broke ({_innermost(err)})") from err


def _explained(url: str, err: Exception) -> Exception:
    """Return what to raise for a failed request: DownloadError when another attempt is useless."""
    from requests import exceptions

    host, reason = urlsplit(url).hostname, _innermost(err)
    if isinstance(err, exceptions.ProxyError):
        return DownloadError(
            f"The proxy for {host} does not answer: {reason}. Check HTTPS_PROXY, HTTP_PROXY, NO_PROXY."
        )
    if isinstance(err, exceptions.SSLError):
        return DownloadError(
            f"The certificate of {host} is not trusted: {reason}. Where a company proxy signs anew, set "
            "REQUESTS_CA_BUNDLE to its CA bundle."
        )
    refused = re.search("resolve|Name or service|refused|unreachable|No route|getaddrinfo|nodename", str(err))
    if isinstance(err, exceptions.ConnectTimeout) or refused:
        return DownloadError(
            f"{host} cannot be reached: {reason}. Without internet choose a mirror or a file as source, or the model "
            "efficientnet_lite0, which comes as a Python package; behind a proxy set HTTPS_PROXY."
        )
    if isinstance(err, exceptions.InvalidURL | exceptions.InvalidSchema | exceptions.MissingSchema):
        return DownloadError(f"{without_credentials(url)} is not an address that can be fetched: {reason}.")
    return TransientError(reason)


def _innermost(err: BaseException) -> str:
    """Return the innermost reason of an error, in one line."""
    inner: Any = err
    for _step in range(8):
        below = getattr(inner, "reason", None) or (inner.args[0] if getattr(inner, "args", ()) else None)
        if not isinstance(below, BaseException):
            break
        inner = below
    line = next(iter(str(inner).splitlines()), "")
    text = re.sub(r"^<[^>]*>:? ?|^.*?Connection object at 0x[0-9a-f]+>?:? ?", "", line)
    return (text or type(inner).__name__)[:200]
