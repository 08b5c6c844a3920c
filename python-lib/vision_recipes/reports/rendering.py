"""Templates rendered: every text escaped, and names from untrusted sources without control characters."""

from __future__ import annotations

import datetime
import logging
import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vision_recipes.resources import resource_folder
from vision_recipes.wording import counted, percent

if TYPE_CHECKING:
    from markupsafe import Markup

    from vision_recipes.stores import Store

log = logging.getLogger("vision_recipes")

PAGE = "/index.html"
"""The page of a report folder."""

_LONGEST = 80
_HARMFUL = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def write_page(report: Store, page: bytes) -> None:
    """Write the page of a report folder."""
    report.write(PAGE, page)
    log.info("the report is %s in folder %s, %.1f MB", PAGE.strip("/"), report.name, len(page) / 1e6)


def render(template: str, content: Mapping[str, Any]) -> bytes:
    """Return a template of `resource/report` rendered with the content, as UTF-8; `made` is the time in words."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resource_folder() / "report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"plain": plain, "percent": percent, "number": number, "last": last_part}
    environment.filters["breakable"] = breakable
    environment.filters["counted"] = counted
    made = datetime.datetime.now().astimezone().strftime("%d %B %Y, %H:%M")
    page = environment.get_template(template).render({"made": made} | dict(content))
    return re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", page).encode("utf-8", "backslashreplace")


def plain(text: object, longest: int = _LONGEST) -> str:
    """Return a name without characters that control the screen or the text direction, shortened in the middle."""
    shown = "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in _HARMFUL else character
        for character in str(text)
    )
    if len(shown) <= longest:
        return shown
    return shown[: longest // 2 - 1] + "…" + shown[-(longest // 2) :]


def breakable(path: str) -> Markup:
    """Return a path, escaped, that lines may break after its slashes rather than inside a name."""
    from markupsafe import Markup

    return Markup("/<wbr>").join(path.split("/"))


def last_part(path: object) -> str:
    """Return a path's file name."""
    return str(path).rpartition("/")[2]


def number(value: float | None, digits: int = 2) -> str:
    """Return a number with some decimals, or a dash when it is not known."""
    return "–" if value is None else f"{value:,.{digits}f}"
