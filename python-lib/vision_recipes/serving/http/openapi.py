"""The OpenAPI document, and a page that shows it and tries a picture."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from vision_recipes.resources import plugin_version, resource_folder
from vision_recipes.serving.http.answers import json_answer
from vision_recipes.serving.http.gate import HEALTH


async def start(request: Request) -> Response:
    """Send a browser from / to the page."""
    return RedirectResponse("docs", 307)


async def document(request: Request) -> Response:
    """Answer GET /openapi.json."""
    return json_answer(description())


async def page(request: Request) -> Response:
    """Answer GET /docs: nothing on the page comes from elsewhere, and only its own script runs."""
    text, policy = _page()
    return Response(text, media_type="text/html", headers={"content-security-policy": policy})


@cache
def description() -> dict[str, Any]:
    """Return the OpenAPI document, with the version that is installed."""
    data = json.loads((resource_folder() / "serve" / "openapi.json").read_text(encoding="utf-8"))
    data["info"]["version"] = plugin_version() or "0"
    for path, operations in data["paths"].items():
        for operation in operations.values():
            operation["responses"] = {
                "200": {"description": "The answer"},
                "default": {"$ref": "#/components/responses/Error"},
            }
            if path in HEALTH:
                operation["security"] = []
    return data


@cache
def _page() -> tuple[str, str]:
    """Return the page and its content security policy."""
    text = (resource_folder() / "serve" / "docs.html").read_text(encoding="utf-8")
    text = text.replace("{version}", html.escape(plugin_version())).replace("<!-- operations -->", _operations())
    sources = [f"{kind}-src {_hash(text, tag)}" for kind, tag in (("script", "script"), ("style", "style"))]
    rest = "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return text, "; ".join(["default-src 'none'", *sources, rest])


def _hash(text: str, tag: str) -> str:
    found = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    assert found is not None
    digest = hashlib.sha256(found[1].encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _operations() -> str:
    """Return the operations of the document as HTML, one heading for each tag."""
    data, written = description(), []
    for tag in data["tags"]:
        written.append(f"<h2>{html.escape(tag['name'])}</h2><p>{html.escape(tag['description'])}</p>")
        for path, operations in data["paths"].items():
            for method, operation in operations.items():
                if tag["name"] in operation["tags"]:
                    written.append(_operation(method.upper(), path, operation))
    return "\n".join(written)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    example = operation.get("x-example", "")
    code = f"<pre tabindex=0>{html.escape(example)}</pre>" if example else ""
    words = f"<b>{method}</b> <code>{html.escape(path)}</code> {html.escape(operation['summary'])}"
    detail = html.escape(operation.get("description", ""))
    return f"<details><summary>{words}</summary><p>{detail}</p>{code}</details>"
