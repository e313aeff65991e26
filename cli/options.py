"""Options that several commands share."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Ref = Annotated[str, typer.Argument(metavar="REF", help="The request: REQ-12, or 12.")]
DeploymentName = Annotated[str, typer.Argument(metavar="DEPLOYMENT", help="Its name or id.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="A parameter; lists in JSON."),
]
File = Annotated[
    str | None,
    typer.Option("--file", metavar="FILE", help="Parameters as a JSON object; - is standard input."),
]
Usage = Annotated[
    list[str] | None, typer.Option("--usage", metavar="NAME=NUMBER", help="Expected use, for the estimate.")
]
Days = Annotated[int | None, typer.Option("--days", metavar="DAYS", help="Remove it after so many days.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="For the approver.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for the end, as `groundwork wait` does.")]
Check = Annotated[bool, typer.Option("--check", help="Show estimate and verdict; ask for nothing.")]
Key = Annotated[
    str,
    typer.Option("--key", metavar="KEY", help="Asked again with the same key within a day, it is done once."),
]
Seen = Annotated[
    int | None,
    typer.Option("--version", metavar="N", help="Only if it still has this version, as `show --json` says."),
]
