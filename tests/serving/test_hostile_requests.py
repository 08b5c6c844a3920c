"""Requests that no honest client sends get one answer each, and the server is none the worse."""

from __future__ import annotations

import gzip
import json
import random
import socket
import struct
import time
from unittest.mock import ANY

import pytest
from images.files import encoded, picture
from inference.tiny import write_tiny_model
from serving.endpoint import Answer, Endpoint

pytestmark = pytest.mark.network
HOST = b"Host: localhost\r\n"
PNG = encoded(picture(30, 20), "PNG")
CLASSIFY = b"POST /v1/classify HTTP/1.1\r\n" + HOST


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    write_tiny_model(folder)
    endpoint = Endpoint(folder, "--max-body", "1")
    yield endpoint
    code, errors = endpoint.stop()
    assert code == 0
    assert "Traceback" not in errors and "Exception" not in errors, errors


def get(path: bytes, *headers: bytes, version: bytes = b"1.1", method: bytes = b"GET") -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return method + b" " + path + b" HTTP/" + version + b"\r\n" + HOST + lines + b"\r\n"


def post(body: bytes, *headers: bytes, path: bytes = b"/v1/classify") -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return b"POST %s HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n%s" % (path, HOST, lines, len(body), body)


def chunked(*chunks: bytes) -> bytes:
    return CLASSIFY + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(chunks)


def form(*parts: bytes, boundary: bytes = b"xyz", end: bytes = b"--xyz--\r\n") -> bytes:
    body = b"".join(b"--xyz\r\n" + part + b"\r\n" for part in parts) + end
    return post(body, b"Content-Type: multipart/form-data; boundary=" + boundary)


def json_of(text: str | bytes, path: bytes = b"/v1/classify") -> bytes:
    return post(text if isinstance(text, bytes) else text.encode(), b"Content-Type: application/json", path=path)


def infer(image: dict, **more) -> bytes:
    return json_of(json.dumps({"inputs": [{"name": "image", **image}], **more}), b"/v2/models/tiny/infer")


PART = b'Content-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
OK = post(PNG, b"Content-Type: image/png")
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)
TLS_HELLO = bytes.fromhex("1603010200010001fc0303") + bytes(500)
BOMB = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 60_000, 60_000, 8, 2, 0, 0, 0) + bytes(200)

REQUESTS: dict[str, tuple[bytes, int]] = {
    # the head
    "doubled Content-Length": (CLASSIFY + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    "two lengths": (CLASSIFY + b"Content-Length: 3\r\nContent-Length: 9\r\n\r\nabc", 400),
    "lengths in a list": (CLASSIFY + b"Content-Length: 3, 3\r\n\r\nabc", 400),
    "length and chunks": (CLASSIFY + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks and length": (CLASSIFY + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400),
    "negative length": (CLASSIFY + b"Content-Length: -1\r\n\r\n", 400),
    "signed length": (CLASSIFY + b"Content-Length: +3\r\n\r\nabc", 400),
    "length in words": (CLASSIFY + b"Content-Length: three\r\n\r\nabc", 400),
    "length beyond all": (CLASSIFY + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n", 400),
    "length in hex": (CLASSIFY + b"Content-Length: 0x3\r\n\r\nabc", 400),
    "huge length": (CLASSIFY + b"Content-Length: 999999999999\r\n\r\nabc", 413),
    "just over the largest body": (CLASSIFY + b"Content-Length: 1000001\r\n\r\nabc", 413),
    "unknown transfer coding": (CLASSIFY + b"Transfer-Encoding: gzip\r\n\r\nabc", 400),
    "coding behind chunks": (CLASSIFY + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
    "blank before a colon": (CLASSIFY + b"Content-Length : 3\r\n\r\nabc", 400),
    "folded header": (get(b"/v2", b"X-A: b\r\n c"), 400),
    "header without a colon": (get(b"/v2", b"nonsense"), 400),
    "NUL in a header": (get(b"/v2", b"X-A: b\x00c"), 400),
    "lone CR in a header": (get(b"/v2", b"X-A: b\rX-C: d"), 400),
    "huge header": (get(b"/v2", b"X-A: " + b"a" * 70_000), 431),
    "endless header": (b"GET /v2 HTTP/1.1\r\nX-A: " + b"a" * 200_000, 431),
    "endless path": (b"GET /" + b"a" * 200_000, 431),
    "many headers": (get(b"/v2", *(b"X-%d: b" % number for number in range(500))), 431),
    "no host": (b"GET /v2 HTTP/1.1\r\n\r\n", 400),
    "two hosts": (get(b"/v2", b"Host: evil.example"), 400),
    "foreign host": (b"GET /v2 HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403),
    "host that begins well": (b"GET /v2 HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", 403),
    "host with a name before it": (b"GET /v2 HTTP/1.1\r\nHost: evil@localhost\r\n\r\n", 403),
    "host that is no name": (b"GET /v2 HTTP/1.1\r\nHost: \x7f\xff\r\n\r\n", 400),
    "foreign host, health": (b"GET /v2/health/live HTTP/1.1\r\nHost: 10.0.0.7:8000\r\n\r\n", 200),
    "foreign origin": (post(PNG, b"Content-Type: image/png", b"Origin: http://evil.example"), 403),
    "origin of a file": (post(PNG, b"Content-Type: image/png", b"Origin: null"), 403),
    "origin of another port": (post(PNG, b"Content-Type: image/png", b"Origin: http://localhost:1"), 403),
    "preflight": (get(b"/v1/classify", b"Origin: http://evil.example", method=b"OPTIONS"), 403),
    "form of another site": (post(PNG, b"Content-Type: image/png", b"Sec-Fetch-Site: cross-site"), 403),
    # other protocols
    "HTTP/1.0": (b"GET /v2 HTTP/1.0\r\n\r\n", 200),
    "HTTP/0.9": (b"GET /v2\r\n\r\n", 400),
    "HTTP/2": (PREFACE, 400),
    "HTTP/3 in words": (get(b"/v2", version=b"3.0"), 400),
    "TLS": (TLS_HELLO, 400),
    "noise": (random.Random(7).randbytes(3000), 400),
    "words": (b"hello\r\n\r\n", 400),
    "WebSocket": (get(b"/v2", b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"), 200),
    "upgrade to h2c": (
        get(b"/v2", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AA"),
        200,
    ),
    "CONNECT": (b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a proxy's request": (get(b"http://evil.example/"), 400),
    "TRACE": (get(b"/v2", method=b"TRACE"), 405),
    "made-up verb": (get(b"/v2", method=b"FETCH"), 400),
    "DELETE": (get(b"/v1/classify", method=b"DELETE"), 405),
    "GET of a POST": (get(b"/v1/classify"), 405),
    "POST of a GET": (post(b"", path=b"/v2"), 405),
    "OPTIONS for all": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    # paths
    "unknown path": (get(b"/etc/passwd"), 404),
    "way up": (get(b"/docs/../../etc/passwd"), 404),
    "way up, encoded": (get(b"/%2e%2e/%2e%2e/etc/passwd"), 404),
    "NUL in a path": (get(b"/v2/models/%00"), 404),
    "line ends in a path": (get(b"/v2/models/a%0d%0aX-A:%20b"), 404),
    "bytes in a path": (get(b"/v2/models/%ff%fe"), 404),
    "raw bytes in a path": (get(b"/\xff\xfe"), 400),
    "query without end": (get(b"/v1/models?" + b"a=b&" * 5000), 200),
    "unknown model": (post(PNG, b"Content-Type: image/png", path=b"/v1/classify?model=x"), 404),
    "unknown version": (get(b"/v2/models/tiny/versions/7"), 404),
    # bodies
    "chunk size that is none": (chunked(b"zz\r\nabc\r\n0\r\n\r\n"), 400),
    "negative chunk": (chunked(b"-1\r\nabc\r\n0\r\n\r\n"), 400),
    "chunk beyond all": (chunked(b"f" * 40 + b"\r\nabc"), 400),
    "chunk longer than it says": (chunked(b"2\r\nabcdef\r\n0\r\n\r\n"), 400),
    "chunks beyond the largest body": (chunked(*[b"10000\r\n" + bytes(65536) + b"\r\n"] * 17, b"0\r\n\r\n"), 413),
    "many small chunks": (chunked(*[b"1\r\na\r\n"] * 20_000, b"0\r\n\r\n"), 422),
    "no body": (CLASSIFY + b"\r\n", 400),
    "no type": (post(b"hello"), 422),
    "unknown type": (post(b"<svg/>", b"Content-Type: text/html"), 415),
    "gzip": (post(gzip.compress(bytes(10_000_000)), b"Content-Type: image/png", b"Content-Encoding: gzip"), 415),
    "SVG": (post(b"<svg onload='alert(1)'/>", b"Content-Type: image/svg+xml"), 422),
    "picture bomb": (post(BOMB, b"Content-Type: image/png"), 422),
    "cut picture": (post(PNG[:100], b"Content-Type: image/png"), 422),
    "form without a boundary": (post(b"--xyz--", b"Content-Type: multipart/form-data"), 400),
    "form with another boundary": (form(PART + PNG, boundary=b"abc"), 400),
    "form without an end": (form(PART + PNG, end=b""), 400),
    "form of nothing": (form(), 400),
    "thousands of parts": (form(*[b'Content-Disposition: form-data; name="a"\r\n\r\n'] * 5000), 400),
    "thousands of files": (form(*[PART] * 5000), 413),
    "more files than are taken": (form(*[PART + b"a"] * 300), 413),
    "huge header of a part": (form(b"X-A: " + b"a" * 300_000 + b"\r\n" + PART), 413),
    "many headers of a part": (form(b"X-A: b\r\n" * 5000 + PART), 413),
    "part without a name": (form(b"Content-Type: image/png\r\n\r\n" + PNG), 400),
    "unknown field": (form(b'Content-Disposition: form-data; name="price"\r\n\r\n7'), 400),
    "endless boundary": (form(PART + PNG, boundary=b"x" * 5000), 400),
    "deep JSON": (json_of("[" * 400_000), 400),
    "deep objects": (json_of('{"images":' * 5000), 400),
    "wide JSON": (json_of("[" + "{}," * 300_000 + "{}]"), 413),
    "many values": (json_of("[" + "1," * 490_000 + "1]"), 400),
    "huge number": (json_of('{"images": ' + "9" * 100_000 + "}"), 400),
    "NaN": (json_of('{"images": [NaN]}'), 400),
    "key twice": (json_of('{"images": [], "images": []}'), 400),
    "no UTF-8": (json_of(b'{"images": ["\xff"]}'), 400),
    "JSON that is no object": (json_of('"images"'), 400),
    "empty JSON": (json_of(""), 400),
    "lone surrogate": (json_of('{"images": ["\\ud800"]}'), 400),
    "surrogate as a name": (json_of(json.dumps({"images": [{"content": "aGVsbG8=", "name": "\ud800"}]})), 422),
    "base64 with garbage": (json_of('{"images": ["aGVs*bG8="]}'), 400),
    "base64 cut off": (json_of('{"images": ["aGVsb"]}'), 400),
    "address of a picture": (json_of('{"images": ["http://169.254.169.254/latest/"]}'), 400),
    "path of a picture": (json_of('{"images": ["file:///etc/passwd"]}'), 400),
    "settings that cannot be": (post(PNG, b"Content-Type: image/png", path=b"/v1/classify?max_nb_labels=-1"), 400),
    "settings that are none": (post(PNG, b"Content-Type: image/png", path=b"/v1/classify?min_threshold=nan"), 400),
    "unknown parameter": (post(PNG, b"Content-Type: image/png", path=b"/v1/classify?url=http://evil.example"), 400),
    # tensors
    "shape that lies": (infer({"datatype": "BYTES", "shape": [9], "data": ["aGVsbG8="]}), 400),
    "shape beyond all": (infer({"datatype": "UINT8", "shape": [1 << 30, 24, 16, 3], "data": [1]}), 400),
    "negative shape": (infer({"datatype": "UINT8", "shape": [-1, 24, 16, 3], "data": [1]}), 400),
    "pixels of another size": (infer({"datatype": "UINT8", "shape": [1, 1, 1, 3], "data": [1, 2, 3]}), 400),
    "pixels that are none": (infer({"datatype": "UINT8", "shape": [1, 24, 16, 3], "data": [300] * 1152}), 400),
    "unknown datatype": (infer({"datatype": "FP8", "shape": [1], "data": [1]}), 400),
    "binary data that are not there": (
        infer({"datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": 9}}),
        400,
    ),
    "unknown output": (infer({"datatype": "BYTES", "shape": [1], "data": ["aGVsbG8="]}, outputs=[{"name": "x"}]), 400),
    "no inputs": (json_of("{}", b"/v2/models/tiny/infer"), 400),
    "length of JSON that lies": (
        post(b"{}", b"Inference-Header-Content-Length: 99", path=b"/v2/models/tiny/infer"),
        400,
    ),
    "no features": (json_of('{"features": 7}', b"/public/api/v1/s/tiny/predict"), 400),
    "features without a picture": (json_of('{"features": {"price": 1}}', b"/public/api/v1/s/tiny/run"), 400),
    "lists that do not fit": (json_of('{"input": ["aGVsbG8="], "price": [1, 2]}', b"/public/api/v1/s/tiny/run"), 400),
    "lists in a list": (json_of('{"input": [["aGVsbG8="]]}', b"/public/api/v1/s/tiny/run"), 400),
    "a list of nothing": (json_of('{"input": []}', b"/public/api/v1/s/tiny/run"), 400),
    "items of nothing": (json_of('{"items": []}', b"/public/api/v1/s/tiny/predict-multi"), 400),
    "no instances": (json_of('{"instances": "aGVsbG8="}', b"/v1/models/tiny:predict"), 400),
}


def test_each_bad_request_gets_one_answer(endpoint: Endpoint) -> None:
    assert len(REQUESTS) >= 60
    found = {name: endpoint.raw(request).statuses for name, (request, _status) in REQUESTS.items()}
    assert found == {name: [status] for name, (_request, status) in REQUESTS.items()}
    before = endpoint.memory()
    for request, _status in REQUESTS.values():
        endpoint.raw(request)
    assert endpoint.memory() - before < 20_000_000
    assert endpoint.raw(OK).statuses == [200]


SLOW: dict[str, tuple[list[bytes], list[int]]] = {
    "a head byte by byte": ([bytes([byte]) for byte in OK[:12]], [408]),
    "a head that stops": ([get(b"/v2")[:-2]], [408]),
    "blank lines before a head": ([b"\r\n"] * 12, [408]),
    "a body byte by byte": ([OK[:-20], *(b"x" for _ in range(14))], [408]),
    "a body that stops": ([OK[:-1]], [408]),
    "chunks that stop": ([chunked(b"3\r\nabc\r\n")], [408]),
    "nothing": ([], []),
    "a request in pieces": ([OK[:9], OK[9:40], OK[40:200], OK[200:]], [200]),
    "a body behind its head": ([OK[: -len(PNG)], PNG], [200]),
    "an answer that is waited for": (
        [OK[: -len(PNG)].replace(b"Content-T", b"Expect: 100-continue\r\nContent-T"), PNG],
        [100, 200],
    ),
    "an answer before the body": ([CLASSIFY + b"Expect: 100-continue\r\nContent-Length: 9999999\r\n\r\n"], [413]),
    "requests ahead of answers": ([OK * 5], [200] * 5),
    "bad bytes behind a request": ([OK + b"\x00\x01\x02"], [200]),
    "two requests, one bad": ([get(b"/v2") + CLASSIFY + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na"], [200]),
    "far too many ahead": ([get(b"/v2") * 500], [200] * 33),
    "a request behind a body that was refused": ([post(bytes(1_100_000)), get(b"/v2")], [413, 200]),
    "a body without end behind its answer": (
        [CLASSIFY + b"Content-Length: 99999999\r\n\r\n", *[bytes(1 << 20)] * 9],
        [413],
    ),
}


@pytest.mark.parametrize("name", SLOW)
def test_slow_and_split_requests_get_one_answer_each(endpoint: Endpoint, name: str) -> None:
    pieces, statuses = SLOW[name]
    found = endpoint.raw(*pieces, pause=0.06 if len(pieces) > 1 else 0.0, seconds=2.5)
    assert found.statuses == statuses
    assert found.closed == (
        statuses[-1:] not in ([200],)
        or name in ("bad bytes behind a request", "two requests, one bad", "far too many ahead")
    )


def test_a_client_that_closes_its_own_side_gets_its_answer(endpoint: Endpoint) -> None:
    assert endpoint.raw(OK, half_close=True) == Answer([200], ANY, True)
    assert endpoint.raw(OK[:-5], half_close=True) == Answer([400], ANY, True)
    assert endpoint.raw(b"GET /v2", half_close=True).statuses == [400]


def test_clients_that_leave_and_connections_left_open_cost_nothing(endpoint: Endpoint) -> None:
    for cut in (0, 5, 60, len(OK) - 10, len(OK)):
        for _client in range(20):
            with socket.create_connection(("127.0.0.1", endpoint.port)) as client:
                client.sendall(OK[:cut])
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    clients = [socket.create_connection(("127.0.0.1", endpoint.port)) for _ in range(60)]
    refused = endpoint.raw(OK)
    assert refused.statuses == [503] and b"too many connections" in refused.last
    latest = time.monotonic() + 10
    while endpoint.raw(OK).statuses != [200]:
        assert time.monotonic() < latest, "connections on which nothing came were never closed"
    for client in clients:
        client.close()
