# Needs a provider for its schema and argument checks, real or sandbox, but no Azure and no credentials.
mock_provider "azurerm" {
  mock_resource "azurerm_key_vault" {
    defaults = {
      id        = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-x/providers/Microsoft.KeyVault/vaults/kv-x"
      vault_uri = "https://kv-x.vault.azure.net/"
    }
  }
  mock_data "azurerm_client_config" {
    defaults = {
      tenant_id = "11111111-1111-1111-1111-111111111111"
    }
  }
}

variables {
  name                = "shop"
  environment         = "dev"
  location            = "northeurope"
  resource_group_name = "rg-shop-dev-001"
  tags                = { "cost-center" = "cc1" }
}

run "secure_by_default" {
  command = plan

  assert {
    condition     = azurerm_key_vault.this.name == "kv-shop-dev-001"
    error_message = "The name follows the naming rule."
  }
  assert {
    condition     = azurerm_key_vault.this.rbac_authorization_enabled
    error_message = "Entra roles decide about access."
  }
  assert {
    condition     = azurerm_key_vault.this.soft_delete_retention_days == 90 && !azurerm_key_vault.this.purge_protection_enabled
    error_message = "What is deleted can be restored for 90 days, and purged outside prod."
  }
}

run "longest_name_in_prod" {
  command = plan

  variables {
    name          = "web-shop-eu1"
    environment   = "prod"
    unique_suffix = "a1b2"
  }
  assert {
    condition     = azurerm_key_vault.this.name == "kv-web-shop-eu1-prd-a1b2" && length(azurerm_key_vault.this.name) == 24
    error_message = "The longest name is as long as Azure takes it."
  }
  assert {
    condition     = azurerm_key_vault.this.purge_protection_enabled
    error_message = "In prod nobody can purge the vault."
  }
}

run "private_endpoint_turns_public_access_off" {
  variables {
    private_endpoint = { subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-n/providers/Microsoft.Network/virtualNetworks/v/subnets/s" }
  }
  assert {
    condition     = azurerm_private_endpoint.this[0].private_service_connection[0].subresource_names[0] == "vault" && !azurerm_key_vault.this.public_network_access_enabled
    error_message = "The private endpoint turns public access off."
  }
  assert {
    condition     = azurerm_key_vault.this.network_acls[0].default_action == "Deny"
    error_message = "Nothing else gets in."
  }
  assert {
    condition     = output.uri == "https://kv-x.vault.azure.net/"
    error_message = "The output comes from the vault."
  }
}

run "rejects_a_short_restore_window" {
  command = plan

  variables {
    soft_delete_days = 6
  }
  expect_failures = [var.soft_delete_days]
}

run "rejects_an_unknown_tier" {
  command = plan

  variables {
    sku = "Premium"
  }
  expect_failures = [var.sku]
}
