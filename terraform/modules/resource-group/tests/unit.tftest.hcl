# Needs a provider for its schema and argument checks, real or sandbox, but no Azure and no credentials.
mock_provider "azurerm" {
  mock_resource "azurerm_resource_group" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-shop-dev-001"
    }
  }
}

variables {
  name        = "shop"
  environment = "dev"
  location    = "northeurope"
  tags        = { "cost-center" = "cc1" }
}

run "group_without_a_budget" {
  command = plan

  assert {
    condition     = azurerm_resource_group.this.name == "rg-shop-dev-001"
    error_message = "The name follows the naming rule."
  }
  assert {
    condition     = length(azurerm_consumption_budget_resource_group.this) == 0
    error_message = "There is no budget by default."
  }
}

run "budget_warns_at_each_threshold" {
  variables {
    environment = "prod"
    budget      = { amount = 100, start_date = "2026-12-01T00:00:00Z", emails = ["anna@example.com"] }
  }
  assert {
    condition     = length(azurerm_consumption_budget_resource_group.this[0].notification) == 2
    error_message = "There is one notification for each threshold."
  }
  assert {
    condition     = output.name == "rg-shop-prd-001"
    error_message = "The environment is written in three letters."
  }
}

run "rejects_a_budget_from_the_middle_of_a_month" {
  command = plan

  variables {
    budget = { amount = 100, start_date = "2026-12-15T00:00:00Z" }
  }
  expect_failures = [var.budget]
}

run "rejects_a_long_name" {
  command = plan

  variables {
    name = "a-very-long-name"
  }
  expect_failures = [var.name]
}
