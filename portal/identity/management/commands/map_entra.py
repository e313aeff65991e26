import csv
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from portal import audit
from portal.identity.models import BusinessUnit, EntraMapping
from portal.identity.roles import Role

COLUMNS = ["source", "role", "business_unit"]
OPERATOR, NOTHING = "operator", ""


class Command(BaseCommand):
    help = (
        "Make the mappings of Entra ID equal to a CSV file with the columns source, role, business_unit. The source is "
        "the object id of a security group or the value of an app role. The role `operator` has no business unit. A "
        "row with neither lets people sign in and gives them nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="The CSV file, or - for the standard input.")

    def handle(self, *, file: str, verbosity: int, **options: Any) -> None:
        self.verbosity = verbosity
        lines = sys.stdin.read() if file == "-" else Path(file).read_text()
        rows = csv.DictReader(lines.splitlines())
        if rows.fieldnames != COLUMNS:
            raise CommandError(f"The first line is: {','.join(COLUMNS)}")
        with transaction.atomic():
            wanted = list(_mappings(rows))
            had = {_key(each): each for each in EntraMapping.objects.select_for_update()}
            for key, mapping in {_key(each): each for each in wanted}.items():
                if not had.pop(key, None):
                    mapping.save()
                    self._tell("add", mapping)
            for mapping in had.values():
                self._tell("remove", mapping)
                mapping.delete()

    def _tell(self, what: str, mapping: EntraMapping) -> None:
        audit.record(
            f"identity.mapping_{what}", str(mapping)[:80], actor=None, business_unit=mapping.business_unit
        )
        if self.verbosity:
            self.stdout.write(f"{what} {mapping}")


def _mappings(rows: Iterable[dict[str, str]]) -> Iterable[EntraMapping]:
    for number, row in enumerate(rows, start=2):
        try:
            mapping = _mapping(row)
            mapping.full_clean()
        except (ValidationError, ValueError) as error:
            problem = "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
            raise CommandError(f"Line {number}: {problem}") from error
        yield mapping


def _mapping(row: dict[str, str]) -> EntraMapping:
    source, role, slug = (str(row[name] or "").strip() for name in COLUMNS)
    unit = BusinessUnit.objects.filter(slug=slug).first()
    if slug and unit is None:
        raise ValueError(f"there is no business unit {slug}")
    if role not in {OPERATOR, NOTHING, *Role.values}:
        raise ValueError(f"the role is one of {', '.join([OPERATOR, *Role.values])}, or nothing")
    mapping = EntraMapping(business_unit=unit, grants_staff=role == OPERATOR)
    mapping.role = "" if role == OPERATOR else role
    try:
        mapping.group_oid = UUID(source)
    except ValueError:
        mapping.app_role = source
    return mapping


def _key(mapping: EntraMapping) -> tuple[object, ...]:
    return mapping.group_oid, mapping.app_role, mapping.business_unit_id, mapping.role, mapping.grants_staff
