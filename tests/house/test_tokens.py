"""Pages of the host and reports of the plugin have the same colours."""

import re

from conftest import ROOT

PAGES = (
    ROOT / "mini-host/minihost/ui/static/tokens.css",
    ROOT / "resource/report/page.css",
    ROOT / "webapps/vision-try/style.css",
)
TOKEN = re.compile(r"(--[a-z-]+): ([^;]+);")


def tokens(path):
    """Return the tokens of a style sheet, those for dark pages with another name."""
    light, _, dark = path.read_text(encoding="utf-8").partition("prefers-color-scheme: dark")
    dark = dark.partition("\n}")[0]  # what is printed has colours of its own
    return {**dict(TOKEN.findall(light)), **{f"dark {name}": value for name, value in TOKEN.findall(dark)}}


def test_pages_and_reports_have_the_same_colours():
    own, *others = map(tokens, PAGES)
    for found in others:
        common = own.keys() & found.keys()
        assert {"--paper", "--ink", "--good", "--bad", "dark --paper"} <= common
        assert {name: found[name] for name in common} == {name: own[name] for name in common}
