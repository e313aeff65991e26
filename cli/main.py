"""
Groundwork from the command line.

GROUNDWORK_URL is the address of the portal, GROUNDWORK_TOKEN says who you are. With --json exactly one JSON
document is printed, also for a refusal: {code, message, problems, fix}. Exit codes: 0 done, 1 refused,
2 no answer, 3 the run failed, 130 interrupted.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer

from cli import asking, deciding, following, output
from cli.errors import CliError

INTERRUPTED = 130
USAGE, REFUSED, NO_ANSWER = 2, 1, 2

app = typer.Typer(
    name="groundwork",
    help=__doc__,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS: dict[str, Callable[..., None]] = {
    "catalog": asking.catalog,
    "submit": asking.submit,
    "change": asking.change,
    "extend": asking.extend,
    "destroy": asking.destroy,
    "list": following.list_requests,
    "show": following.show,
    "wait": following.wait,
    "log": following.show_log,
    "approve": deciding.approve,
    "reject": deciding.reject,
    "cancel": deciding.cancel,
    "retry": deciding.retry,
    "stop": deciding.stop,
    "deployments": following.deployments,
    "whoami": deciding.whoami,
}
for name, command in COMMANDS.items():
    app.command(name)(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        _never_fail_to_print(stream)
    try:
        app(args=given, prog_name="groundwork")
    except CliError as error:
        if "--json" in given:
            output.print_json(error.as_json())
        else:
            output.problem(error)
        return error.exit_code
    except SystemExit as end:
        # Typer says 2 for a command that it does not understand; ours is that there was no answer.
        code = int(end.code or 0)
        return REFUSED if code == USAGE else code
    except Exception as error:
        # The edge of the program: people get a sentence, never a traceback.
        fix = "The portal may be of another version than this client. Tell the platform team what you typed."
        output.problem(CrashedHere(f"something unexpected ({type(error).__name__}: {error})", fix=fix))
        return NO_ANSWER
    return 0


class CrashedHere(CliError):
    exit_code = NO_ANSWER


def _never_fail_to_print(stream: Any) -> None:
    """A terminal that has no “ gets a ? in its place."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")
