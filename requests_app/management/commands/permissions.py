"""docs/permissions.md: the two tables are made from the code, the words around them are here."""

from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from portal.identity.roles import CAN, OPERATORS, PEOPLE_ONLY, Permission, Role, Scope
from portal.identity.tokens import SERVICE_MAX_DAYS
from requests_app.states import STEPS, TRANSITIONS, State, Who

FILE = settings.BASE_DIR / "docs" / "permissions.md"
PAGE = """\
# Who may do what

Made by `manage.py permissions --write` from `portal/identity/roles.py` and `requests_app/states.py`; a test compares.

## In a business unit

A person has any number of roles in any number of business units. A role counts in its business unit only, and until its
last day is over.

{matrix}

- **Operators** are the platform team (staff accounts). They see everything and help where something is stuck, and have
  no say in what a business unit gets.
- **Service accounts** have roles as people do. What the table says they never do they cannot do in any role: whoever
  holds the token of a machine could decide on their own requests. They are never operators.
- What somebody may not see does not exist for them: the answer is 404, as for something that is not there. What they
  see and may not do is a 403 that says who may.

## With a request

{steps}

- **Nobody decides on their own request.** The rule says so (`requests_app/approval.py`), the transition leaves out the
  requester (`services._move`), and so does the database (`nobody_decides_their_own_request`).
- **Nobody changes their own roles.** The rule says so (`portal/identity/people.py`), and the database refuses a role
  that somebody gave themselves (`nobody_grants_their_own_role`).

## Where roles come from

- **Given in the portal**, on the page People, by an administrator of the business unit or an operator; with or without
  a last day. Every change is an event of the business unit, with who did it.
- **From Entra ID**, by the groups and app roles that superusers map in the admin. They are shown and cannot be changed
  here.

The page Permissions (account menu; `GET /api/v1/me/permissions/`) says for each permission whether one has it, through
which role, from where and until when, or who could give it. The page of a request has the same for its steps
(`GET /api/v1/requests/<id>/permissions/`).

## Tokens

A token can do what its owner can now, within its scopes, and within its business unit if it has one. It never opens a
page, and never makes another token.

{scopes}

- A token of a person lives at most {person_days} days, one of a service account at most {machine_days}. It is shown
  once and kept as a digest.
- A token for one business unit has no rights outside it, not even those of an operator.
- A token rests when its owner's account is closed, and when Entra ID has not confirmed its owner for {unseen} days.
"""


class Command(BaseCommand):
    help = "Print docs/permissions.md as the code has it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--write", action="store_true", help="Write the file.")

    def handle(self, *, write: bool, **options: Any) -> None:
        page = page_of_permissions()
        if write:
            FILE.write_text(page, encoding="utf-8")
        else:
            self.stdout.write(page, ending="")


def page_of_permissions() -> str:
    return PAGE.format(
        matrix=_matrix(),
        steps=_steps(),
        scopes=_table(["Scope", "The token may"], ([f"`{scope}`", scope.label] for scope in Scope)),
        person_days=settings.API_TOKEN_MAX_DAYS,
        machine_days=SERVICE_MAX_DAYS,
        unseen=settings.API_TOKEN_UNSEEN_DAYS,
    )


def _matrix() -> str:
    head = ["To", *(role.label for role in Role), "Operator", "Service account"]
    return _table(
        head,
        (
            [
                each.label,
                *(_mark(role in CAN[each]) for role in Role),
                _mark(each in OPERATORS),
                "never" if each in PEOPLE_ONLY else "in its role",
            ]
            for each in Permission
        ),
    )


def _steps() -> str:
    head = ["To", "while it is", "The person who asked", "Who decides", "Operator"]
    who = (Who.REQUESTER, Who.APPROVER, Who.OPERATOR)
    return _table(
        head,
        (
            [
                step.capitalize(),
                ", ".join(state.label.lower() for state in State if state in TRANSITIONS[step].sources),
                *(_mark(each in TRANSITIONS[step].who) for each in who),
            ]
            for step in STEPS
        ),
    )


def _mark(yes: bool) -> str:
    return "yes" if yes else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
