"""Scripts and data inside a page: data that can end no element, scripts that the page's policy lets run alone."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vision_recipes.resources import resource_folder

if TYPE_CHECKING:
    from markupsafe import Markup

_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "%": "\\u0025"}
"""What could end the element that holds the data, or be changed by the renderer."""


@dataclass(frozen=True)
class InlineScript:
    """The text of a script element, and the source that a content security policy names for it."""

    text: Markup
    source: Markup


def inline_script(*names: str) -> InlineScript:
    """Return files of `resource/report` as one script in a scope of its own."""
    from markupsafe import Markup

    content = "".join((resource_folder() / "report" / name).read_text(encoding="utf-8") for name in names)
    content = f'"use strict";\n(() => {{\n{content}}})();\n'
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return InlineScript(Markup(content), Markup(f"'sha256-{digest}'"))


def inline_json(data: Any) -> Markup:
    """Return JSON that may stand inside an element of a page, whatever its texts hold."""
    from markupsafe import Markup

    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character, escaped in _UNSAFE.items():
        text = text.replace(character, escaped)
    return Markup(text)
