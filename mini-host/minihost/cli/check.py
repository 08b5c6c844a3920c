"""`minihost check`: what is wrong with a plugin."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from minihost.cli.options import as_json


@click.command("check")
@click.argument("plugin", type=click.Path(path_type=Path), default=Path("."))
@click.option("--strict", is_flag=True, help="Let warnings fail the check as errors do.")
@as_json
def command(plugin: Path, strict: bool, as_json: bool) -> int:
    """Check PLUGIN, a folder or zip (the current folder when not given). Ends with 1 when there are errors."""
    from minihost.errors import counted
    from minihost.plugins import checking, discovery

    found = discovery.load(plugin)
    findings = checking.check(found)
    errors = sum(finding.level == checking.ERROR for finding in findings)
    warnings = len(findings) - errors
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(str(finding))
        numbers = {"component": len(found.components), "error": errors, "warning": warnings}
        listing = ", ".join(counted(number, what) for what, number in numbers.items())
        click.echo(f"{found.id} {found.version}: {listing}")
    return 1 if errors or strict and warnings else 0
