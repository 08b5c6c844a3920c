"""The page of a STANDARD web app: its body, script and style put together as DSS does, and what they ask for."""

from __future__ import annotations

import html
import importlib.util
import json
import mimetypes
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from minihost.job import Job

BRIDGE = Path(__file__).with_name("dss.js")
LIBRARIES: dict[str, tuple[tuple[str, str], ...]] = {
    "jquery": (("jquery", "jquery.min.js"),),
    "d3": (("d3", "d3.min.js"), ("d3", "d3.js")),
    "bootstrap": (("bootswatch", "cosmo/bootstrap.min.css"), ("bootstrap_scss", "js/bootstrap.min.js")),
    "font_awesome": (("font_awesome", "css/all.min.css"),),
    "dataiku": (),
}
"""Library of `standardWebAppLibraries` -> (XStatic package, file), one for each file; `dataiku` is the host's own."""


class Page:
    """What the browser gets: files of the web app's folder, of the plugin's `resource`, of libraries, and the page."""

    def __init__(self, job: Job, folder: Path) -> None:
        self.job, self.folder = job, folder
        self.resource = Path(job.plugin_root, "resource")
        self.libraries = dict(self._libraries())

    def answer(self, path: str) -> tuple[bytes, str] | None:
        """Return the content and type of what lies at a path, None when there is nothing."""
        if path == "/":
            return (self._frame() if self.job.descriptor.get("chart") else self._page()).encode(), "text/html"
        if path == "/app":
            return self._page().encode(), "text/html"
        section, _, rest = path.lstrip("/").partition("/")
        if section == "own":
            return _file(self.folder, rest) if rest in ("app.js", "style.css") else None
        if section == "host":
            return _file(BRIDGE.parent, rest) if rest == BRIDGE.name else None
        if section == "libraries":
            return _file(*self.libraries[rest]) if rest in self.libraries else None
        start = f"{self.job.plugin_id}/resource/"
        if section == "plugins" and rest.startswith(start):
            return _file(self.resource, rest.removeprefix(start))
        return None

    def missing(self) -> list[str]:
        """Return the libraries that the web app wants and that are not there."""
        wanted = [str(name) for name in self.job.descriptor.get("standardWebAppLibraries") or []]
        served = {name.partition("/")[0] for name in self.libraries}
        return [name for name in wanted if name != "dataiku" and name not in served]

    def _libraries(self) -> Iterable[tuple[str, tuple[Path, str]]]:
        for name in self.job.descriptor.get("standardWebAppLibraries") or []:
            for package, file in LIBRARIES.get(str(name), ()):
                place = _xstatic(package)
                kind = file.rpartition(".")[2]
                key = f"{name}/{name}.{kind}"
                if place is not None and (place / file).is_file():
                    yield key, (place, file)

    def _page(self) -> str:
        facts = {"config": self.job.config, "desc": self.job.descriptor, "backend": "/backend/"}
        facts["next"] = self.job.payload.get("next", [])
        module = ' type="module"' if _is_true(self.job.descriptor.get("enableJavascriptModules")) else ""
        head = [f"<script>window.minihostWebApp = {_json(facts)};</script>", '<script src="/host/dss.js"></script>']
        for key in self.libraries:
            tag = '<link rel="stylesheet" href="{}">' if key.endswith(".css") else '<script src="{}"></script>'
            head.append(tag.format(f"/libraries/{quote(key)}"))
        if (self.folder / "style.css").is_file():
            head.append('<link rel="stylesheet" href="/own/style.css">')
        body = _text(self.folder / "body.html")
        if (self.folder / "app.js").is_file():
            body += f'\n<script{module} src="/own/app.js"></script>'
        return _document(self._title(), "\n".join(head), body)

    def _frame(self) -> str:
        """A page around the page: custom charts ask the page around them for their configuration, by a message."""
        facts = {"webAppConfig": self.job.config, "filters": []}
        script = (
            f"const facts = {_json(facts)};\nhistory.replaceState(null, '', location.pathname);\n"
            "window.addEventListener('message', (event) => {\n"
            "  if (event.origin === location.origin && event.data === 'sendConfig')\n"
            "    event.source.postMessage(JSON.stringify(facts), location.origin);\n"
            "});"
        )
        style = "html, body, iframe {height: 100%; width: 100%; margin: 0; border: 0; display: block}"
        head = f"<script>{script}</script><style>{style}</style>"
        return _document(self._title(), head, f'<iframe src="/app" title="{html.escape(self._title())}"></iframe>')

    def _title(self) -> str:
        meta = self.job.descriptor.get("meta")
        return str((meta.get("label") if isinstance(meta, dict) else "") or self.job.component_id)


def _document(title: str, head: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<title>{html.escape(title)}</title>\n{head}\n</head>\n'
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _json(facts: Any) -> str:
    """JSON that no value can break out of a script with."""
    text = json.dumps(facts, default=str)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _file(folder: Path, name: str) -> tuple[bytes, str] | None:
    """Return a regular file below a folder; nothing for names and links that lead out of it."""
    root = folder.resolve()
    try:
        path = (root / name).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            return None
        return path.read_bytes(), mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    except (OSError, ValueError):
        return None


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"


def _xstatic(package: str) -> Path | None:
    try:
        found = importlib.util.find_spec(f"xstatic.pkg.{package}")
    except ImportError:
        return None
    return Path(found.origin).with_name("data") if found is not None and found.origin else None
