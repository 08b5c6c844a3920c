"""A small S3 server in memory that answers each request after a delay, as one far away does; for measurements only.

python -m benchmarks.s3_server PORT --delay 0.05 [--failing 0.01] [--megabytes 40] [BUCKET=FOLDER ...]

It checks no signatures, and knows what s3fs and object_store ask for: listings of 1000 keys, reads (also of ranges),
writes, multipart uploads, deletions. `GET /?statistics` returns counts of the requests, as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
from bisect import bisect_right
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote
from xml.sax.saxutils import escape

PAGE = 1000
MODIFIED = "2026-01-01T00:00:00.000Z"
_REASONS = {200: "OK", 204: "No Content", 206: "Partial Content", 404: "Not Found", 416: "Range", 503: "Slow Down"}

Answer = tuple[int, dict[str, str], bytes]


class Bucket:
    """The objects of one bucket, by key."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self._sorted: list[str] = []

    def keys(self) -> list[str]:
        """Return all keys, sorted."""
        if len(self._sorted) != len(self.objects):
            self._sorted = sorted(self.objects)
        return self._sorted

    def put(self, key: str, content: bytes) -> None:
        """Write an object."""
        self.objects[key] = content

    def listing(self, query: dict[str, str]) -> str:
        """Return a page of keys as XML."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        encoded = query.get("encoding-type") == "url"
        most = min(PAGE, int(query.get("max-keys", PAGE)))
        after = query.get("continuation-token") or query.get("start-after") or ""
        keys = self.keys()
        start = bisect_right(keys, after) if after >= prefix else bisect_right(keys, prefix)
        if after < prefix and start and keys[start - 1] == prefix:
            start -= 1
        found, folders, last = list[str](), list[str](), ""
        for place in range(start, len(keys)):
            key = keys[place]
            if not key.startswith(prefix):
                break
            if len(found) + len(folders) == most:
                break
            folder = (
                key[: key.index(delimiter, len(prefix)) + 1] if delimiter and delimiter in key[len(prefix) :] else ""
            )
            if not folder:
                found.append(self._entry(key, encoded))
            elif not folders or folders[-1] != folder:
                folders.append(folder)
            last = key
        else:
            last = ""
        more = bool(last) and bisect_right(keys, last) < len(keys) and keys[bisect_right(keys, last)].startswith(prefix)
        token = f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if more else ""
        common = "".join(f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in folders)
        encoding = "<EncodingType>url</EncodingType>" if encoded else ""
        return (
            '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Prefix>{escape(prefix)}</Prefix><MaxKeys>{most}</MaxKeys>"
            f"<KeyCount>{len(found) + len(folders)}</KeyCount>"
            f"{encoding}<IsTruncated>{str(more).lower()}</IsTruncated>{token}{''.join(found)}{common}</ListBucketResult>"
        )

    def _entry(self, key: str, encoded: bool) -> str:
        size = len(self.objects[key])
        tag = f"&quot;{_tag(self.objects[key])}&quot;"
        name = quote(key) if encoded else escape(key)
        return (
            f"<Contents><Key>{name}</Key><LastModified>{MODIFIED}</LastModified><ETag>{tag}</ETag>"
            f"<Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        )


class Server:
    """All buckets, and what a request to them is answered with."""

    def __init__(self, failing: float) -> None:
        self.buckets: dict[str, Bucket] = {}
        self.failing = failing
        self.counts: Counter[str] = Counter()
        self.busy = self.most_busy = 0
        self._random = random.Random(0)  # noqa: S311 - the same requests fail in each run

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Return status, headers and content."""
        path, _, asked = target.partition("?")
        query = dict(parse_qsl(asked, keep_blank_values=True))
        if path == "/" and "statistics" in query:
            found = {**self.counts, "most at once": self.most_busy}
            self.counts.clear()
            self.most_busy = 0
            return 200, {}, json.dumps(found).encode()
        name, _, key = unquote(path).lstrip("/").partition("/")
        bucket = self.buckets.setdefault(name, Bucket())
        listing = f"listing of {name}/{query.get('prefix', '')}"
        self.counts[f"{method} {listing if method == 'GET' and not key else 'object'}"] += 1
        if self.failing and self._random.random() < self.failing:
            self.counts["failed"] += 1
            return 503, {}, b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
        step = {"GET": _get, "HEAD": _get, "PUT": _put, "POST": _post, "DELETE": _delete}[method]
        return step(bucket, key, query, headers, body)


def _get(bucket: Bucket, key: str, query: dict[str, str], headers: dict[str, str], body: bytes) -> Answer:
    if not key:
        return 200, {"Content-Type": "application/xml"}, bucket.listing(query).encode()
    content = bucket.objects.get(key)
    if content is None:
        return 404, {}, b"<Error><Code>NoSuchKey</Code><Message>There is none.</Message></Error>"
    found = {"ETag": f'"{_tag(content)}"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "Accept-Ranges": "bytes"}
    if wanted := headers.get("range"):
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(content)), len(content) - 1)
        if start >= len(content):
            return 416, {}, b"<Error><Code>InvalidRange</Code></Error>"
        found["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        return 206, found, content[start : end + 1]
    return 200, found, content


def _put(bucket: Bucket, key: str, query: dict[str, str], headers: dict[str, str], body: bytes) -> Answer:
    if "uploadId" in query:
        bucket.uploads[query["uploadId"]][int(query["partNumber"])] = body
    else:
        bucket.put(key, body)
    return 200, {"ETag": f'"{_tag(body)}"'}, b""


def _post(bucket: Bucket, key: str, query: dict[str, str], headers: dict[str, str], body: bytes) -> Answer:
    if "uploads" in query:
        upload = f"{len(bucket.uploads)}-{key}".encode().hex()
        bucket.uploads[upload] = {}
        found = f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
    elif "delete" in query:
        found = "<DeleteResult></DeleteResult>"
        for part in body.decode().split("<Key>")[1:]:
            bucket.objects.pop(part.partition("</Key>")[0], None)
    else:
        parts = bucket.uploads.pop(query["uploadId"])
        bucket.put(key, b"".join(parts[number] for number in sorted(parts)))
        found = "<CompleteMultipartUploadResult><ETag>&quot;1&quot;</ETag></CompleteMultipartUploadResult>"
    return 200, {"Content-Type": "application/xml"}, found.encode()


def _delete(bucket: Bucket, key: str, query: dict[str, str], headers: dict[str, str], body: bytes) -> Answer:
    if "uploadId" in query:
        bucket.uploads.pop(query["uploadId"], None)
    else:
        bucket.objects.pop(key, None)
    return 204, {}, b""


def _tag(content: bytes) -> str:
    return hashlib.md5(content[:4096] + str(len(content)).encode(), usedforsecurity=False).hexdigest()


async def serve(server: Server, port: int, delay: float) -> None:
    """Answer requests until the process ends."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
                method, target, _version = line.split(" ")
                headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
                if "100-continue" in headers.get("expect", ""):
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                if "aws-chunked" in headers.get("content-encoding", ""):
                    body = _unchunked(body)
                server.busy += 1
                server.most_busy = max(server.most_busy, server.busy)
                if "statistics" not in target:
                    await asyncio.sleep(delay)
                server.busy -= 1
                status, found, content = server.answer(method, target, headers, body)
                found["Content-Length"] = str(len(content))
                text = "".join(f"{name}: {value}\r\n" for name, value in found.items())
                writer.write(f"HTTP/1.1 {status} {_REASONS[status]}\r\n{text}\r\n".encode())
                if method != "HEAD":
                    writer.write(content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", port, limit=1 << 20, backlog=512)
    async with listening:
        await listening.serve_forever()


def _unchunked(body: bytes) -> bytes:
    content, place = b"", 0
    while place < len(body):
        end = body.index(b"\r\n", place)
        size = int(body[place:end].partition(b";")[0], 16)
        if not size:
            break
        content += body[end + 2 : end + 2 + size]
        place = end + 4 + size
    return content


def main() -> None:
    """Fill the buckets from folders and serve them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("--delay", type=float, default=0.05, help="seconds before each answer")
    parser.add_argument("--failing", type=float, default=0.0, help="the share of requests answered with 503")
    parser.add_argument("--keys", type=int, default=0, help="keys of one byte in the bucket `many`")
    parser.add_argument("folders", nargs="*", metavar="BUCKET=FOLDER")
    given = parser.parse_intermixed_args()
    server = Server(given.failing)
    for one in given.folders:
        name, _, folder = one.partition("=")
        bucket = server.buckets.setdefault(name, Bucket())
        for path in Path(folder).rglob("*"):
            if path.is_file():
                bucket.put(path.relative_to(folder).as_posix(), path.read_bytes())
    if given.keys:
        server.buckets["many"] = many = Bucket()
        for number in range(given.keys):
            many.put(f"photos/{number % 100:02}/{number:06}.jpg", b"x")
    asyncio.run(serve(server, given.port, given.delay))


if __name__ == "__main__":
    main()
