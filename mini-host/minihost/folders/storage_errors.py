"""What a storage answered when something went wrong, as one sentence: bucket, key, and the setting to look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minihost.errors import DataError
from minihost.folders.urls import Url

CREDENTIALS = {
    "s3": "the credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile of ~/.aws, or `key` and `secret` "
    "under `options:` in flow.yaml)",
    "gs": "the credentials (GOOGLE_APPLICATION_CREDENTIALS, or `token` under `options:` in flow.yaml)",
    "az": "the credentials (AZURE_STORAGE_CONNECTION_STRING, or `account_name` and `account_key` under `options:`)",
    "memory": "the credentials",
}
ENDPOINT = {
    "s3": "`endpoint_url` (under `options:` in flow.yaml, or AWS_ENDPOINT_URL)",
    "gs": "`endpoint_url` (under `options:` in flow.yaml, or STORAGE_EMULATOR_HOST)",
    "az": "`account_name` and `connection_string` (under `options:` in flow.yaml)",
    "memory": "the URL",
}
_DENIED = {"403", "AccessDenied", "Forbidden", "AllAccessDisabled", "AccountProblem", "401"}
_UNKNOWN = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "RequestTimeTooSkewed"}
_NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"}
_NO_CREDENTIALS |= {"TokenRetrievalError", "UnauthorizedSSOTokenError", "SSOTokenLoadError", "DefaultCredentialsError"}
_REGION = {"PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
_SLOW = {"ReadTimeoutError", "ConnectTimeoutError", "FSTimeoutError", "TimeoutError", "ServerTimeoutError"}
_BROKEN = {"ClientPayloadError", "IncompleteRead", "IncompleteReadError", "ConnectionClosedError", "Truncated"}
_BROKEN |= {"ServerDisconnectedError", "ResponseStreamingError", "ConnectionResetError", "ResponseParserError"}
_UNREACHABLE = {"EndpointConnectionError", "ConnectionError", "ClientConnectorError", "ProxyConnectionError"}
_UNREACHABLE |= {"SSLError", "ConnectionRefusedError", "gaierror", "HTTPClientError", "ClientConnectorDNSError"}


class Truncated(Exception):
    """Fewer bytes came than the storage announced, or others than those that it listed."""


class StorageError(DataError, OSError):
    """A storage refused something, or what it holds is not what was asked for."""


class MissingObject(StorageError, FileNotFoundError):
    """There is no such object."""


class MissingBucket(StorageError, FileNotFoundError):
    """There is no such bucket."""


class StorageDown(StorageError):
    """A storage that did not answer as it should after all retries; a run in which this happened never succeeds."""


def is_broken(err: BaseException) -> bool:
    """Whether an answer broke off in the middle, so that asking again may help."""
    return bool(_BROKEN & {type(one).__name__ for one in _chain(err)})


def explained(err: BaseException, url: Url, where: str, *, timeout: float, attempts: int) -> StorageError:
    """Return an exception of a storage library as one that names what to look at. `where` says which server it was."""
    place = f"Bucket {url.bucket!r}" + (f", key {url.key!r}" if url.key else "") + f" ({where})"
    names = {type(one).__name__ for one in _chain(err)}
    code, status = _answer(err)
    said = " ".join(part for part in (status if status != code else "", code) if part)
    said = f" ({said})" if said else ""
    credentials, endpoint = CREDENTIALS[url.protocol], ENDPOINT[url.protocol]
    if code in ("NoSuchBucket", "ContainerNotFound") or "bucket does not exist" in str(err):
        return MissingBucket(f"{place}: there is no such bucket{said}. Check its name, the region and {endpoint}.")
    if names & _NO_CREDENTIALS:
        public = " A public bucket needs `anon: true` there." if url.protocol == "s3" else ""
        return StorageError(f"{place}: no usable credentials were found ({_line(err)}). Check {credentials}.{public}")
    if code in _UNKNOWN:
        return StorageError(f"{place}: the credentials are not accepted{said}. Check {credentials}.")
    if code in _REGION or "NoRegionError" in names:
        return StorageError(
            f"{place}: it lies in another region{said}. Check `region` (under `options:` in flow.yaml, or "
            "AWS_DEFAULT_REGION)."
        )
    if code in _DENIED or status == "403" or "PermissionError" in names:
        return StorageError(f"{place}: access is denied{said}. Check {credentials} and their rights on that bucket.")
    if names & _SLOW:
        return StorageDown(
            f"{place}: no complete answer came within {timeout:g} seconds, tried {attempts} times. Check {endpoint}, "
            "or raise `timeout` under `options:`."
        )
    if status.startswith("5") or code in ("SlowDown", "InternalError", "ServiceUnavailable"):
        return StorageDown(f"{place}: the storage fails{said}, tried {attempts} times. Try later, or check {endpoint}.")
    if names & _BROKEN:
        return StorageDown(
            f"{place}: the connection broke off in the middle, tried {attempts} times. Try again, or check {endpoint}."
        )
    if names & _UNREACHABLE:
        return StorageDown(f"{place}: the storage cannot be reached ({_line(err)}). Check {endpoint} and the network.")
    if code in ("404", "NoSuchKey", "NotFound") or "FileNotFoundError" in names:
        return MissingObject(f"{place}: there is no such object{said}.")
    return StorageError(f"{place}: {_line(err)}{said}. Check {endpoint} and {credentials}.")


def _answer(err: BaseException) -> tuple[str, str]:
    """The error code and the HTTP status that the storage answered with; empty where it gave none."""
    for one in _chain(err):
        response: Any = getattr(one, "response", None)
        if isinstance(response, dict):
            status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
            return str(response.get("Error", {}).get("Code", "")), str(status)
        status = getattr(one, "status_code", None) or getattr(one, "code", None) or getattr(one, "status", None)
        if isinstance(status, int | str) and str(status).isdigit():
            return "", str(status)
    return "", ""


def _chain(err: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while err is not None and id(err) not in seen:
        seen.add(id(err))
        yield err
        err = err.__cause__ or err.__context__


def _line(err: BaseException) -> str:
    text = " ".join(str(err).split()).rstrip(".")[:300]
    return text or type(err).__name__
