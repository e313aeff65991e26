# Needs a provider for its schema and argument checks, real or sandbox, but no Azure and no credentials.
mock_provider "azurerm" {
  mock_resource "azurerm_cosmosdb_account" {
    defaults = {
      id       = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-x/providers/Microsoft.DocumentDB/databaseAccounts/cosno-x"
      endpoint = "https://cosno-x.documents.azure.com:443/"
    }
  }
}

variables {
  name                = "shop"
  environment         = "dev"
  location            = "northeurope"
  resource_group_name = "rg-shop-dev-001"
  tags                = { "cost-center" = "cc1" }
  databases           = ["orders"]
}

run "secure_by_default" {
  command = plan

  assert {
    condition     = azurerm_cosmosdb_account.this.name == "cosno-shop-dev-001"
    error_message = "The name follows the naming rule."
  }
  assert {
    condition     = !azurerm_cosmosdb_account.this.local_authentication_enabled && azurerm_cosmosdb_account.this.minimal_tls_version == "Tls12"
    error_message = "There are no account keys, and TLS 1.2 is the least."
  }
  assert {
    condition     = azurerm_cosmosdb_account.this.backup[0].type == "Continuous"
    error_message = "Every second of the last days can be restored."
  }
  assert {
    condition     = one(azurerm_cosmosdb_account.this.capabilities).name == "EnableServerless" && length(azurerm_cosmosdb_sql_database.this["orders"].autoscale_settings) == 0
    error_message = "It is paid per request."
  }
}

run "reserved_throughput" {
  command = plan

  variables {
    serverless       = false
    autoscale_max_ru = 4000
  }
  assert {
    condition     = length(azurerm_cosmosdb_account.this.capabilities) == 0 && azurerm_cosmosdb_sql_database.this["orders"].autoscale_settings[0].max_throughput == 4000
    error_message = "Each database scales up to the limit."
  }
}

run "who_is_named_gets_in" {
  variables {
    users = ["33333333-3333-3333-3333-333333333333"]
  }
  assert {
    condition     = endswith(azurerm_cosmosdb_sql_role_assignment.this["33333333-3333-3333-3333-333333333333"].role_definition_id, "/sqlRoleDefinitions/00000000-0000-0000-0000-000000000002")
    error_message = "The identity may read and write data."
  }
}

run "private_endpoint_turns_public_access_off" {
  variables {
    private_endpoint = { subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-n/providers/Microsoft.Network/virtualNetworks/v/subnets/s" }
  }
  assert {
    condition     = azurerm_private_endpoint.this[0].private_service_connection[0].subresource_names[0] == "Sql" && !azurerm_cosmosdb_account.this.public_network_access_enabled
    error_message = "The private endpoint turns public access off."
  }
  assert {
    condition     = output.endpoint == "https://cosno-x.documents.azure.com:443/"
    error_message = "The output comes from the account."
  }
}

run "rejects_an_odd_throughput" {
  command = plan

  variables {
    autoscale_max_ru = 1500
  }
  expect_failures = [var.autoscale_max_ru]
}

run "rejects_a_user_by_name" {
  command = plan

  variables {
    users = ["anna"]
  }
  expect_failures = [var.users]
}
