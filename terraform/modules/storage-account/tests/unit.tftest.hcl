# Needs a provider for its schema and argument checks, real or sandbox, but no Azure and no credentials.
mock_provider "azurerm" {
  mock_resource "azurerm_storage_account" {
    defaults = {
      id                    = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-x/providers/Microsoft.Storage/storageAccounts/stx"
      primary_blob_endpoint = "https://stx.blob.core.windows.net/"
    }
  }
}

variables {
  name                = "web-shop"
  environment         = "dev"
  location            = "northeurope"
  resource_group_name = "rg-shop-dev-001"
  containers          = ["invoices"]
  tags                = { "cost-center" = "cc1" }
}

run "secure_by_default" {
  command = plan

  assert {
    condition     = azurerm_storage_account.this.name == "stwebshopdev001"
    error_message = "The name follows the naming rule and has no hyphens."
  }
  assert {
    condition     = !azurerm_storage_account.this.shared_access_key_enabled && !azurerm_storage_account.this.local_user_enabled
    error_message = "There are no shared keys and no local users."
  }
  assert {
    condition     = azurerm_storage_container.this["invoices"].container_access_type == "private"
    error_message = "Containers are private."
  }
}

run "unique_suffix" {
  command = plan

  variables {
    unique_suffix = "a1b2"
  }
  assert {
    condition     = azurerm_storage_account.this.name == "stwebshopdeva1b2"
    error_message = "The suffix replaces the instance number."
  }
}

run "private_endpoint_turns_public_access_off" {
  variables {
    private_endpoint = { subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-n/providers/Microsoft.Network/virtualNetworks/v/subnets/s" }
  }
  assert {
    condition     = azurerm_private_endpoint.this[0].private_service_connection[0].subresource_names[0] == "blob" && !azurerm_storage_account.this.public_network_access_enabled
    error_message = "The private endpoint turns public access off."
  }
  assert {
    condition     = output.blob_endpoint == "https://stx.blob.core.windows.net/"
    error_message = "The output comes from the account."
  }
}

run "rejects_a_bad_container_name" {
  command = plan

  variables {
    containers = ["no--double"]
  }
  expect_failures = [var.containers]
}
