"""URLs of folders and datasets: which ones are opened, and what they mean. A flow.yaml may come from a stranger."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from minihost.errors import DataError
from minihost.suggestions import did_you_mean

PROTOCOLS = {
    "s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az", "memory": "memory",
}  # fmt: skip
"""What a URL may begin with -> the storage that is meant."""

PACKAGES = {"s3": ("fsspec", "s3fs"), "gs": ("fsspec", "gcsfs"), "az": ("fsspec", "adlfs"), "memory": ("fsspec",)}
"""Storage -> the packages that open it."""

_DATABASES = {"sqlite", "postgresql", "postgres", "mysql", "mariadb", "oracle", "mssql", "duckdb", "snowflake"}
_DATABASES |= {"bigquery", "redshift", "clickhouse", "trino", "presto", "databricks", "cockroachdb"}
_SECRET = re.compile(r"(?i)secret|token|passw|key$|connection_string|sas|credential")
_PASSWORD = re.compile(r"://[^/@:]*:([^/@]+)@")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Url:
    """A place in a bucket: `key` has no slash at either end and is empty for the bucket itself."""

    protocol: str
    bucket: str
    key: str

    @property
    def parent(self) -> Url:
        """The folder that the object lies in."""
        return Url(self.protocol, self.bucket, self.key.rpartition("/")[0])

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.protocol}://{self.bucket}" + (f"/{self.key}" if self.key else "")


def is_remote(path: str) -> bool:
    """Whether a place is a URL of a storage, which is not a path and not a database."""
    scheme, separator, _rest = path.partition("://")
    return bool(separator) and scheme.lower().partition("+")[0] not in _DATABASES


def without_password(text: str) -> str:
    """Return a URL for people to see."""
    return _PASSWORD.sub(lambda found: found[0].replace(found[1], "*****"), text)


def parsed(text: str, what: str) -> Url:
    """Return what a URL means; raises `DataError`, beginning with `what`, for one that the host does not open."""
    shown = without_password(text)
    scheme, _separator, rest = text.partition("://")
    if "::" in text.rpartition("://")[0] or "::" in scheme:
        raise DataError(f"{what}: {shown!r} is a chain of URLs. Name the place itself, such as s3://bucket/key.")
    if scheme.lower() in ("file", "local"):
        raise DataError(f"{what}: {shown!r} is on this machine. Give its path instead of a URL.")
    if (protocol := PROTOCOLS.get(scheme.lower(), "")) == "":
        known = ", ".join(f"{name}://" for name in PACKAGES)
        hint = did_you_mean(scheme, PROTOCOLS)
        raise DataError(
            f"{what}: nothing that is installed opens {shown!r}.{hint} Built in are {known}; host plugins add others."
        )
    if _PASSWORD.search(text):
        raise DataError(f"{what}: {shown!r} holds a password. Put credentials into the environment, not into URLs.")
    bucket, _slash, key = rest.partition("/")
    key = key.strip("/")
    parts = key.split("/") if key else []
    if not bucket or bucket in (".", ".."):
        raise DataError(f"{what}: {shown!r} names no bucket. Write {protocol}://BUCKET/KEY.")
    if "" in parts or "." in parts or ".." in parts or _CONTROL.search(rest) or "?versionId=" in key:
        raise DataError(f"{what}: {shown!r} is not a plain key: it has no '.', '..', empty parts, line ends, versions.")
    return Url(protocol, bucket, key)


def secrets_in(path: str, options: Any) -> list[str]:
    """Return what no log may show of a URL and its options: passwords, keys and tokens, as they are written there."""
    found = _PASSWORD.findall(path)
    waiting: list[tuple[str, Any]] = [("", options)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(str(inner), one) for inner, one in value.items()]
        elif isinstance(value, str) and _SECRET.search(name) and not value.startswith("${"):
            found.append(value)
    return found
