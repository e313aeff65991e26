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

run "the_name_follows_the_rule" {
  command = plan

  assert {
    condition     = azurerm_resource_group.this.name == "rg-shop-dev-001"
    error_message = "The name follows the naming rule."
  }
}

run "every_tag_is_written" {
  variables {
    environment = "prod"
    purpose     = "the shop"
  }
  assert {
    condition     = azurerm_resource_group.this.tags == tomap({ "cost-center" = "cc1", purpose = "the shop" })
    error_message = "The tags of the portal and the purpose are both there."
  }
  assert {
    condition     = output.name == "rg-shop-prd-001"
    error_message = "The environment is written in three letters."
  }
}

run "rejects_an_empty_purpose" {
  command = plan

  variables {
    purpose = ""
  }
  expect_failures = [var.purpose]
}

run "rejects_a_long_name" {
  command = plan

  variables {
    name = "a-very-long-name"
  }
  expect_failures = [var.name]
}
