"""The rules about plans, held against what the modules of the catalog really plan."""

import re

import pytest
from django.conf import settings
from django.utils.timezone import now

from catalog_app.policy import decide
from catalog_app.rules import read_rules
from consumer.worker import checks
from consumer.worker.terraform import read_json
from requests_app.proposal import clock
from tests.catalog.conftest import MODULES
from tests.modules.examples import EXAMPLES

RESOURCE = re.compile(r'^resource "(\w+)"', re.MULTILINE)
HOLDS_NOTHING = {
    "azurerm_consumption_budget_resource_group",
    "azurerm_cosmosdb_sql_role_assignment",
    "azurerm_linux_web_app",  # comes back from its package
    "azurerm_managed_redis_access_policy_assignment",
    "azurerm_network_interface",
    "azurerm_postgresql_flexible_server_active_directory_administrator",
    "azurerm_private_endpoint",
    "azurerm_service_plan",
    "azurerm_static_web_app",
    "azurerm_subnet",
    "azurerm_virtual_network",
}


def types_of_the_modules():
    files = [path.read_text() for path in MODULES.glob("*/*.tf")]
    return {found for text in files for found in RESOURCE.findall(text)}


def test_the_rules_know_every_type_that_the_modules_build():
    tables = read_rules(settings.POLICY_FOLDER).tables

    assert types_of_the_modules() <= set(tables["allowed_types"])
    # A new type is either among those that a change never deletes, or somebody has thought about it here.
    assert types_of_the_modules() - set(tables["stateful_types"]) == HOLDS_NOTHING


@pytest.mark.parametrize("item", sorted(EXAMPLES))
def test_the_plan_of_an_item_is_accepted_in_production(stack, item):
    deployment = stack(item)
    deployment.asked.update(EXAMPLES[item].asked)
    deployment._write()
    deployment._run("init", "-input=false")
    deployment._run("plan", "-input=false", "-out=plan.tfplan")
    planned = checks.changes(read_json(deployment._run("show", "-json", "plan.tfplan")))
    facts = {
        "kind": "create",
        "item": item,
        "environment": "prod",
        "allow_replace": False,
        "now": clock(now()),
    }

    verdict = decide("plan", facts, planned)

    assert [finding.sentence for finding in verdict.findings] == []
    assert len(planned) == EXAMPLES[item].makes
    assert {"plan-builds-known-types", "plan-stays-in-regions"} & set(verdict.passed)
