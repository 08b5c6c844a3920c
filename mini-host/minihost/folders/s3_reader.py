"""Reads of S3 objects by obstore, whose requests cost a sixth of the processor time that those of s3fs do.

It is asked first, tries once, and answers as a filesystem of fsspec would. Whatever goes wrong, and every setting that
only botocore knows, is left to s3fs, with its retries and with errors as sentences.
"""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from minihost.folders.urls import Url

METHODS = ("cat_file", "info", "find")
PAGE = 1000
"""Objects in one answer of S3."""
MOST_FAILURES = 8
"""After so many failures in a row where s3fs then succeeded, it is not asked any more."""

_OPTIONS = {"endpoint_url", "key", "secret", "token", "profile", "anon", "region", "timeout", "attempts"}
_UNKNOWN = {"services", "s3", "ca_bundle", "use_fips_endpoint", "use_dualstack_endpoint"}
_UNKNOWN |= {"ignore_configured_endpoint_urls"}
"""Settings of ~/.aws/config that only botocore knows; some of them are environment variables too, as AWS_…."""
_CERTIFICATES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
_RENEWED = timedelta(minutes=5)
_process: list[int] = []
"""The process that obstore runs in: its threads do not survive a fork."""


class S3Reader:
    """The objects of one bucket. Each method raises whatever comes; then s3fs is asked."""

    def __init__(self, bucket: str, store: Any) -> None:
        self._bucket, self._store = bucket, store
        self._failures = 0
        self._process = os.getpid()

    @property
    def is_usable(self) -> bool:
        """Whether to ask it, in this process and after what happened so far."""
        return self._failures < MOST_FAILURES and self._process == os.getpid()

    def note(self, succeeded: bool) -> None:
        """Count a success, or a failure after which s3fs succeeded."""
        self._failures = 0 if succeeded else self._failures + 1

    def cat_file(self, place: str, start: int | None = None, end: int | None = None) -> bytes:
        """Return an object's bytes, or those from `start` up to `end`."""
        import obstore

        if start is not None:
            return bytes(obstore.get_range(self._store, self._key(place), start=start, end=end))
        found = obstore.get(self._store, self._key(place))
        content = bytes(found.bytes())
        if len(content) != found.meta["size"]:
            raise ValueError("cut off")
        return content

    def info(self, place: str) -> dict[str, Any]:
        """Return what the storage says of an object, or that keys begin with that of a folder."""
        import obstore
        from obstore.exceptions import NotFoundError

        if place != self._bucket:
            try:
                return self._entry(obstore.head(self._store, self._key(place)))
            except (NotFoundError, FileNotFoundError):
                pass
        if self.page(place):
            return {"name": place, "size": 0, "type": "directory"}
        raise FileNotFoundError(place)

    def page(self, place: str) -> list[dict[str, Any]]:
        """Return the first objects under a place, at most PAGE."""
        import obstore

        pages = obstore.list(self._store, self._key(place) or None, chunk_size=PAGE)
        return [self._entry(meta) for meta in next(iter(pages), [])]

    def find(self, place: str, *, detail: bool = True) -> dict[str, dict[str, Any]]:
        """Return all objects under a place by name.

        Empty ones may stand for folders, and an empty result for a bucket that does not exist: both are left to s3fs.
        """
        import obstore

        pages = obstore.list(self._store, self._key(place) or None, chunk_size=PAGE)
        found = {entry["name"]: entry for entry in map(self._entry, chain.from_iterable(pages))}
        if not found or not all(entry["size"] for entry in found.values()):
            raise ValueError("empty objects")
        return found

    def _key(self, place: str) -> str:
        return place.removeprefix(self._bucket).removeprefix("/")

    def _entry(self, meta: Any) -> dict[str, Any]:
        name, tag = f"{self._bucket}/{meta['path']}", meta["e_tag"]
        return {"name": name, "size": meta["size"], "type": "file", "LastModified": meta["last_modified"], "ETag": tag}


def reader_of(url: Url, options: dict[str, Any], timeout: float, longest: float) -> S3Reader | None:
    """Return what reads the objects of a bucket; None where s3fs does it all. `timeout` and `longest` in seconds."""
    if url.protocol != "s3" or ":" in url.bucket or not set(options) <= _OPTIONS:
        return None
    if any(f"AWS_{name.upper()}" in os.environ for name in _UNKNOWN - {"ca_bundle"}):
        return None
    try:
        store = _store(url, options, timeout, longest)
    except Exception:  # not installed, no credentials, a profile that does not exist: s3fs says so
        return None
    return None if store is None else S3Reader(url.bucket, store)


def _store(url: Url, options: dict[str, Any], timeout: float, longest: float) -> Any:
    import botocore.session
    from obstore.store import S3Store

    session = botocore.session.Session(profile=options.get("profile"))
    section = session.get_scoped_config()
    if _UNKNOWN & set(section) or _process not in ([], [os.getpid()]):
        return None
    _process[:] = [os.getpid()]
    environment = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    endpoint = options.get("endpoint_url") or environment or section.get("endpoint_url")
    client: Any = {
        "connect_timeout": timedelta(seconds=min(timeout, 10.0)),
        "read_timeout": timedelta(seconds=timeout),
        "timeout": timedelta(seconds=longest),
    }
    if endpoint and endpoint.lower().startswith("http:"):
        client["allow_http"] = True
    elif bundle := next(filter(None, map(os.environ.get, _CERTIFICATES)), None):
        client["root_certificate"] = Path(bundle).read_bytes()
    settings: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
    if options.get("anon"):
        settings["skip_signature"] = True
    else:
        settings["credential_provider"] = _Credentials(session, options)
    return S3Store(
        url.bucket,
        region=options.get("region") or session.get_config_variable("region") or "us-east-1",
        client_options=client,
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=longest)},
        **settings,
    )


class _Credentials:
    """What botocore finds: options, environment, ~/.aws, the role of the machine; asked again before they expire."""

    def __init__(self, session: Any, options: dict[str, Any]) -> None:
        if options.get("key") and options.get("secret"):
            session.set_credentials(options["key"], options["secret"], options.get("token"))
        self._found = session.get_credentials()
        if self._found is None:
            raise ValueError("no credentials")
        self._lock = threading.Lock()

    def __call__(self) -> dict[str, Any]:
        with self._lock:
            now = self._found.get_frozen_credentials()
        renewed = datetime.now(UTC) + _RENEWED if hasattr(self._found, "refresh_needed") else None
        secret = {"access_key_id": now.access_key, "secret_access_key": now.secret_key, "token": now.token}
        return {**secret, "expires_at": renewed}
