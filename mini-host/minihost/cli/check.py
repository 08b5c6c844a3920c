"""`minihost check`: what is wrong with a plugin."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from minihost.cli.options import as_json

if TYPE_CHECKING:
    from minihost.plugins.findings import Finding

SHOWN = 8
"""So many findings of one rule are listed; --all lists the others too."""


@click.command("check")
@click.argument("plugin", type=click.Path(path_type=Path), default=Path("."))
@click.option("--strict", is_flag=True, help="Let warnings fail the check as errors do.")
@click.option("--all", "show_all", is_flag=True, help=f"List every finding, not {SHOWN} of each rule.")
@as_json
def command(plugin: Path, strict: bool, show_all: bool, as_json: bool) -> int:
    """Check PLUGIN, a folder or zip (the current folder when not given). Ends with 1 when there are errors.

    An error is what will not work, a warning what is unusual or probably not meant, a note what this host does not run.
    """
    from minihost.plugins import checking, discovery
    from minihost.plugins.manifests import PLUGIN_FILE, NotAPlugin

    try:
        found = discovery.load(plugin)
        name, components = f"{found.id} {found.version}", len(found.components)
        findings = checking.check(found)
    except NotAPlugin as err:
        if not err.rule:
            raise
        name, components = plugin.resolve().name, 0
        findings = [checking.Finding(err.rule, PLUGIN_FILE, err.text)]
    levels = [finding.level for finding in findings]
    if as_json:
        click.echo(json.dumps([_as_facts(finding) for finding in findings], indent=2))
    else:
        for rule, group in itertools.groupby(findings, key=lambda finding: finding.rule):
            _print(rule, list(group), show_all)
        click.echo(f"{name}: {_counted(components, levels)}")
    return 1 if checking.ERROR in levels or strict and checking.WARNING in levels else 0


def _print(rule: str, findings: list[Finding], show_all: bool) -> None:
    """The findings of one rule, and below them what it demands and what to write."""
    listed = findings if show_all or len(findings) <= SHOWN + 1 else findings[:SHOWN]
    for finding in listed:
        click.echo(str(finding))
    if len(listed) < len(findings):
        click.echo(f"    … {len(findings) - len(listed)} more of this rule; add --all to list them")
    broken = findings[0].broken
    if broken.level != "note":
        click.echo(click.style(f"    rule: {broken.why} ({rule})\n    fix:  {broken.fix}", dim=True))


def _counted(components: int, levels: Iterable[str]) -> str:
    from minihost.errors import counted
    from minihost.rules import LEVELS, NOTE

    numbers = {level: list(levels).count(level) for level in LEVELS}
    listing = {"component": components} | {level: n for level, n in numbers.items() if n or level != NOTE}
    return ", ".join(counted(number, what) for what, number in listing.items())


def _as_facts(finding: Finding) -> dict[str, str]:
    return {
        "level": finding.level,
        "rule": finding.rule,
        "where": finding.where,
        "text": finding.text,
        "why": finding.broken.why,
        "fix": finding.broken.fix,
    }
