from argparse import ArgumentParser
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand

from billing_app import budgets
from billing_app.models import Action, Budget
from portal.identity.models import BusinessUnit, Environment

# Room for a handful of servers each, and each with another answer to what goes above it.
BUDGETS: Final = {
    Environment.DEV: ("500.00", Action.REQUIRE_APPROVAL),
    Environment.STAGING: ("1500.00", Action.WARN),
    Environment.PROD: ("5000.00", Action.BLOCK),
}


class Command(BaseCommand):
    help = "Budgets for business units that have none, to try the portal with. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("units", nargs="*", metavar="UNIT", help="Slugs of business units; else all.")

    def handle(self, *, units: list[str], **options: Any) -> None:
        found = BusinessUnit.objects.filter(budgets__isnull=True)
        for unit in found.filter(slug__in=units) if units else found:
            for environment, (amount, action) in BUDGETS.items():
                budget = Budget(
                    business_unit=unit,
                    environment=environment,
                    amount=Decimal(amount),
                    currency=settings.CURRENCY,
                    action=action,
                )
                budgets.set_budget(budget, actor=None)
