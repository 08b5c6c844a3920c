"""One storage, opened with fsspec: credentials, time-outs and retries, and every failure as a sentence."""

from __future__ import annotations

import contextlib
import inspect
import json
import logging
import os
import re
import sys
import time
from typing import Any

from minihost.errors import DataError
from minihost.folders.s3_reader import METHODS, S3Reader, reader_of
from minihost.folders.storage_errors import StorageDown, StorageError, explained, is_broken
from minihost.folders.urls import PACKAGES, Url, without_password
from minihost.suggestions import did_you_mean, one_of

TIMEOUT = 20.0
"""Seconds without an answer after which a request counts as failed; the option `timeout`."""

ATTEMPTS = 3
"""How often a request is tried, with growing pauses; the option `attempts`."""

LONGEST = 10
"""A single transfer may take this many time-outs altogether, however slowly its bytes drip."""

REST = 30.0
"""Seconds for which a storage that failed is not asked again: each request would wait out all its retries."""

OWN = ("timeout", "attempts", "region")
"""The options that are ours; all others go to the storage's library."""

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_SETTINGS = ("AWS_", "GOOGLE_", "AZURE_", "STORAGE_")
for _name in ("botocore", "aiobotocore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # each client would say where its credentials come from
_disks: dict[int, Any] = {}
"""The filesystems of this process, by what they were opened with: a client takes a third of a second to make."""

failures: list[str] = []
"""What `StorageDown` said in this process: a component may have swallowed it, and its run must not succeed."""


class Storage:
    """The storage of a URL. `options` are those of flow.yaml; `${NAME}` in them is an environment variable."""

    def __init__(self, url: Url, options: dict[str, Any]) -> None:
        self.url = url
        self._options = {name: _filled(value, str(url)) for name, value in options.items()}
        self.timeout = _number(self._options, "timeout", TIMEOUT, str(url))
        self.attempts = int(_number(self._options, "attempts", ATTEMPTS, str(url)))
        self._process = 0
        self._opened: dict[int, Any] = {}
        self._down: tuple[float, str] = (0.0, "")
        self._readers: list[S3Reader | None] = []
        self.where = _where(url, self._options)

    @property
    def disk(self) -> Any:
        """The filesystem of this process: one that was forked needs its own."""
        return self._disk(self.attempts)

    @property
    def _reader(self) -> S3Reader | None:
        """What is asked first for objects, where there is such a thing and another attempt is left for s3fs."""
        if self.attempts < 2:
            return None
        if not self._readers:
            self._readers.append(reader_of(self.url, self._options, self.timeout, self.timeout * LONGEST))
        reader = self._readers[0]
        return reader if reader is not None and reader.is_usable else None

    def place(self, url: Url) -> str:
        """Return what the filesystem calls a place."""
        place = f"{url.bucket}/{url.key}".rstrip("/")
        return f"/{place}" if url.protocol == "memory" else place

    def ask(self, url: Url, method: str, *arguments: Any, **more: Any) -> Any:
        """Call a method of the filesystem for an object; raises `StorageError` and its kinds."""
        self.check()
        reader = self._reader if method in METHODS else None
        if reader is not None:
            with contextlib.suppress(Exception):  # s3fs tries again, and says what is wrong
                found = getattr(reader, method)(*arguments, **more)
                reader.note(succeeded=True)
                return found
        attempts = self.attempts if reader is None else self.attempts - 1
        found = self._asked(attempts, url, method, *arguments, **more)
        if reader is not None:
            reader.note(succeeded=False)
        return found

    def page(self, url: Url) -> list[dict[str, Any]]:
        """Return at most 1000 of the objects below a place; none where that is no quicker than asking for one."""
        reader = self._reader
        if reader is not None:
            with contextlib.suppress(Exception):  # whoever needs to know asks for the object itself
                return reader.page(self.place(url))
        return []

    def _asked(self, attempts: int, url: Url, method: str, *arguments: Any, **more: Any) -> Any:
        attempt = 1
        while True:
            try:
                return self._call(attempts, method, *arguments, **more)
            except Exception as err:  # each storage library has exceptions of its own
                if not is_broken(err) or attempt == attempts:
                    raise self.failure(err, url) from None
            time.sleep(min(0.2 * 2**attempt, 5))
            attempt += 1

    def check(self) -> None:
        """Raise again what a storage that is down said a moment ago."""
        if time.monotonic() < self._down[0]:
            raise StorageDown(self._down[1])

    def failure(self, err: BaseException, url: Url) -> StorageError | DataError:
        """Return an exception as a sentence, and remember a storage that is down."""
        if isinstance(err, StorageError | DataError):
            return err
        found = explained(err, url, self.where, timeout=self.timeout, attempts=self.attempts)
        if isinstance(found, StorageDown):
            failures.append(str(found))
            self._down = (time.monotonic() + REST, str(found))
        return found

    def _call(self, attempts: int, method: str, *arguments: Any, **more: Any) -> Any:
        disk = self._disk(attempts)
        if method == "cat_file" and disk.async_impl:
            more["timeout"] = self.timeout * LONGEST
        return getattr(disk, method)(*arguments, **more)

    def _disk(self, attempts: int) -> Any:
        if self._process != os.getpid():
            self._opened, self._process = {}, os.getpid()
        if attempts not in self._opened:
            self._opened[attempts] = self._open(attempts)
        return self._opened[attempts]

    def _open(self, attempts: int) -> Any:
        try:
            import fsspec

            kind = fsspec.get_filesystem_class(self.url.protocol)
        except ImportError:
            packages = " ".join(PACKAGES[self.url.protocol])
            raise DataError(
                f"{self.url} cannot be opened: the Python of this run lacks one of the packages {packages}. "
                f"Install them: {sys.executable} -m pip install {packages}"
            ) from None
        options = {name: value for name, value in self._options.items() if name not in OWN}
        known = [name for name in inspect.signature(kind.__init__).parameters if name not in ("self", "kwargs")]
        if self.url.protocol == "s3":
            known.append("profile")
            options = {**options, **self._for_s3(options, attempts)}
        for name in options:
            if name not in (*known, "use_listings_cache", "skip_instance_cache"):
                hint = did_you_mean(name, [*known, *OWN])
                raise DataError(f"{self.url}: `options:` have no {name!r}.{hint} Known: {one_of([*OWN, *known])}.")
        settings = sorted(item for item in os.environ.items() if item[0].startswith(_SETTINGS))
        key = hash((os.getpid(), self.url.protocol, json.dumps([options, settings], sort_keys=True, default=str)))
        if key not in _disks:
            try:
                _disks[key] = kind(**options, use_listings_cache=False, skip_instance_cache=True)
            except Exception as err:  # a profile that does not exist, a token that is no file …
                raise self.failure(err, self.url) from None
            if hasattr(_disks[key], "retries"):
                _disks[key].retries = 1  # botocore repeats requests, and `ask` reads that broke off
        return _disks[key]

    def _for_s3(self, options: dict[str, Any], attempts: int) -> dict[str, Any]:
        """Time-outs, retries and region as s3fs and botocore take them."""
        config = {
            "connect_timeout": min(self.timeout, 10.0),
            "read_timeout": self.timeout,
            "retries": {"total_max_attempts": attempts, "mode": "standard"},
            "max_pool_connections": 64,
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
            **options.get("config_kwargs", {}),
        }
        client = dict(options.get("client_kwargs", {}))
        if region := self._options.get("region"):
            client["region_name"] = region
        # With `max_concurrency` above 1, s3fs asks for the size of an object before it reads it.
        return {"config_kwargs": config, "client_kwargs": client, "max_concurrency": options.get("max_concurrency", 1)}


def _where(url: Url, options: dict[str, Any]) -> str:
    endpoint = options.get("endpoint_url")
    if url.protocol == "s3":
        endpoint = endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return f"{url.protocol} at {without_password(str(endpoint))}" if endpoint else url.protocol


def _filled(value: Any, where: str) -> Any:
    """A value with its environment variables in place; raises `DataError` for one that is not set."""
    if isinstance(value, dict):
        return {name: _filled(one, where) for name, one in value.items()}
    if not isinstance(value, str):
        return value

    def of(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise DataError(f"{where}: `options:` name the environment variable {found[1]}, which is not set.")
        return os.environ[found[1]]

    return _VARIABLE.sub(of, value)


def _number(options: dict[str, Any], name: str, usual: float, where: str) -> float:
    try:
        number = float(options.get(name, usual))
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number < 100_000 or (name == "attempts" and number < 1):
        raise DataError(f"{where}: `{name}` under `options:` is a positive number; got {options[name]!r}.")
    return number
