"""A project whose every name is hostile, the server of its pages, and what a stranger or a broken client sends."""

import contextlib
import json
import os
import socket
import threading
from html.parser import HTMLParser

from component_plugins import put, role, write_components
from one_recipe import COPY

from minihost.ui.server import listening
from minihost.ui.workspace import Workspace

TOKEN = "the-token-of-this-test"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SECRET = "what nobody outside may read"
MARKUP = "<img src=x onerror=alert(1)>\"'`{{7331*7331}}${7331*7331}</script><script>alert(1)</script>"
NAMES = {
    "html": MARKUP,
    "template": "{{7331*7331}}{%set a=1%}{#",
    "turned": "a\u202egpj.exe\u2066",
    "long": "n" * 4096,
    "quoted": "\" onmouseover=alert(1) x='",
    "spaced": " a  b ",
    "option": "--force",
    "address": "a?b=c&d=e#f%2e%2e/..\\g",
    "dots": "..",
}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def hostile_project(root):
    """The folder of the project, beside a folder `outside` that nothing may read or change."""
    place = root / "project"
    put(root / "outside" / "secret.txt", SECRET)
    params = [{"name": "p", "type": "STRING", "label": MARKUP, "description": MARKUP, "defaultValue": MARKUP}]
    params += [{"name": "s", "type": "SELECT", "selectChoices": [{"value": MARKUP, "label": MARKUP}]}]
    params += [{"name": "c", "type": "COLUMN", "columnRole": "in"}, {"name": "m", "type": "MAP"}]
    meta = {"label": MARKUP, "description": MARKUP, "icon": MARKUP}
    roles = {"inputRoles": [role("in", label=MARKUP)], "outputRoles": [role("out", label=MARKUP)]}
    write_components(
        place / "plugin",
        {"copy": ({**roles, "params": params, "meta": meta}, COPY)},
        {"tell": ({"params": params, "meta": meta}, "")},
        {"webapps/look/webapp.json": json.dumps({"meta": meta, "params": params}), "webapps/look/app.js": ""},
        meta={"label": MARKUP},
    )
    put(place / "rows.csv", f"{MARKUP.replace(',', '')},b\n{MARKUP},1\n/page.html,2\n")
    pictures = place / "pics"
    for name in ("a.jpg", "pic.svg", "page.html", "x.exe", "note.txt", "<img src=x onerror=alert(1)>.jpg"):
        put(pictures / name, "")
        (pictures / name).write_bytes(SVG)
    for name in ("out.jpg", "out.txt", "out.html"):
        (pictures / name).symlink_to(root / "outside" / "secret.txt")
    (pictures / "up").symlink_to(root / "outside")
    (pictures / "null.jpg").symlink_to("/dev/zero")
    for name in ("pipe.jpg", "pipe.txt", "pipe.html"):
        os.mkfifo(pictures / name)
    os.mkfifo(place / "pipe.csv")
    put(place / ".minihost" / "jobs" / "own.txt", SECRET)
    put(place / "flow.yaml", flow_text())
    return place


def flow_text():
    """A flow in which every name is hostile, written as JSON, which is YAML."""
    steps = [
        {
            "name": name,
            "recipe": "copy",
            "inputs": {"in": f"d{name}"},
            "outputs": {"out": f"o{name}"},
            "params": {"p": name},
        }
        for name in NAMES.values()
    ]
    steps += [{"name": f"m{MARKUP}", "macro": "tell", "creates": [f"c{MARKUP}"], "params": {MARKUP: MARKUP}}]
    steps += [{"name": "unknown", "recipe": MARKUP, "inputs": {MARKUP: MARKUP}, "outputs": {MARKUP: f"u{MARKUP}"}}]
    keys = [name for name in NAMES.values() if len(name) <= 1000]  # YAML has no longer ones in one line
    facts = {
        "plugins": ["plugin"],
        "folders": {"pics": "pics", "own": ".minihost", "gone": "gone", **{f"f{name}": "pics" for name in keys}},
        "datasets": {"pipe": "pipe.csv", **{f"d{name}": "rows.csv" for name in keys}},
        "steps": steps,
    }
    return f"# by hand\n{json.dumps(facts, indent=1)}\n"


@contextlib.contextmanager
def serving(place):
    """The server of a project, as `minihost ui` has it; its port."""
    listener = listening(Workspace(place), 0, TOKEN)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield listener.port
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


class Answer:
    """One answer, taken apart; more bytes than it says are a second answer."""

    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {}
        for line in lines:
            name, _, value = line.partition(": ")
            self.headers.setdefault(name.lower(), []).append(value)
        if "content-length" in self.headers:
            assert len(self.body) <= int(self.headers["content-length"][0])
        assert b"\r\nServer: minihost" not in self.body, "a second answer"

    def header(self, name):
        """A header that is there at most once."""
        values = self.headers.get(name.lower(), [""])
        assert len(values) == 1, values
        return values[0]

    @property
    def text(self):
        return self.body.decode("utf-8")


def send(port, raw):
    """Send bytes; the one answer, read to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
        parts = []
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(1 << 16):
                parts.append(part)
    return Answer(b"".join(parts))


def ask(port, target, method="GET", body=None, **headers):
    """One request with the token, unless other headers are given."""
    given = {"Host": f"127.0.0.1:{port}", "Connection": "close", **BEARER}
    if body is not None:
        given |= {"Content-Length": str(len(body)), "Content-Type": "application/json"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in given.items() if value is not None]
    return send(port, "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""]).encode("latin-1") + (body or b""))


class Elements(HTMLParser):
    """What of a page would do something that only our own modules may do."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        if tag == "script" and not (facts.get("src") or "").startswith("/static/"):
            self.found.append((tag, facts))
        if any(name.startswith("on") or name in ("style", "srcdoc") for name in facts) or facts.get("src") == "x":
            self.found.append((tag, facts))
        if (facts.get("href") or "").lower().startswith(("javascript:", "data:")):
            self.found.append((tag, facts))


def tree(folder):
    """Every file below a folder with its bytes; links as they are."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[str(path)] = os.readlink(path)
        elif path.is_file():
            found[str(path)] = path.read_bytes()
    return found
