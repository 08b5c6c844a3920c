"""The command line: `minihost` and `python -m minihost`. One file for each command, loaded when it is asked for."""

from __future__ import annotations

import contextlib
import importlib
import sys

import click

from minihost import disk_space, user_folders
from minihost.errors import HostError, Interrupted
from minihost.hookspecs import hookimpl
from minihost.suggestions import did_you_mean

COMMANDS = (
    "list",
    "show",
    "new",
    "check",
    "schema",
    "run",
    "build",
    "status",
    "add",
    "set",
    "remove",
    "undo",
    "package",
    "install",
    "env",
    "webapp",
    "ui",
)
"""The host's own commands: `minihost.cli.NAME` has each as `command`."""


class Commands(click.Group):
    """The group of every command that a host plugin adds, imported one by one on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The host's own commands in their order, then others by name."""
        return [*COMMANDS, *sorted(_offers().keys() - {*COMMANDS})]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, or None where there is none of that name."""
        offer = _offers().get(cmd_name)
        if isinstance(offer, str):
            module, _, attribute = offer.partition(":")
            offer = getattr(importlib.import_module(module), attribute or "command")
        return offer

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands, each with the first sentence of its help as a whole."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, one.get_short_help_str(limit=1000)) for name, one in found if one and not one.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as err:
            raise click.UsageError(err.message + did_you_mean(args[0], self.list_commands(ctx)), ctx) from err


@hookimpl(tryfirst=True)
def minihost_commands() -> dict[str, str | click.Command]:
    """The host's own commands."""
    return {name: f"minihost.cli.{name}:command" for name in COMMANDS}


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="dss-minihost", prog_name="minihost", message="%(prog)s (dss-minihost %(version)s)")
def group() -> None:
    """Runs Dataiku DSS plugins without DSS: their recipes, macros and web apps, or a whole flow."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; answer the exit code: 0 done, 1 failed, 2 the job was wrong, 130 interrupted.

    This is the one place where a `HostError` becomes a message without a stack trace.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # names need not be text
    try:
        code = group.main(args=arguments, prog_name="minihost", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.ClickException as err:
        err.show()
        return err.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return Interrupted.exit_code
    except HostError as err:
        click.echo(str(err), err=True)
        return err.exit_code
    except OSError as err:
        places = {**disk_space.temporary(), "--project": ".", "set MINIHOST_HOME to move it": str(user_folders.home())}
        if not (reason := disk_space.message(err, places)):
            raise
        click.echo(reason, err=True)
        return HostError.exit_code


def _offers() -> dict[str, str | click.Command]:
    from minihost.host import hooks

    offers: dict[str, str | click.Command] = {}
    for answer in reversed(hooks().minihost_commands()):
        offers.update(answer)
    return offers
