# Needs a provider for its schema and argument checks, real or sandbox, but no Azure and no credentials.
mock_provider "azurerm" {
  mock_resource "azurerm_managed_redis" {
    defaults = {
      id       = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-x/providers/Microsoft.Cache/redisEnterprise/amr-x"
      hostname = "amr-x.northeurope.redis.azure.net"
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
    condition     = azurerm_managed_redis.this.name == "amr-shop-dev-001"
    error_message = "The name follows the naming rule."
  }
  assert {
    condition     = !azurerm_managed_redis.this.default_database[0].access_keys_authentication_enabled && azurerm_managed_redis.this.default_database[0].client_protocol == "Encrypted"
    error_message = "There are no access keys and nothing unencrypted."
  }
  assert {
    condition     = length(azurerm_managed_redis_access_policy_assignment.this) == 0
    error_message = "Nobody gets in who was not named."
  }
}

run "who_is_named_gets_in" {
  command = plan

  variables {
    users = ["33333333-3333-3333-3333-333333333333"]
  }
  assert {
    condition     = azurerm_managed_redis_access_policy_assignment.this["33333333-3333-3333-3333-333333333333"].object_id == "33333333-3333-3333-3333-333333333333"
    error_message = "The identity may read and write."
  }
}

run "private_endpoint_turns_public_access_off" {
  variables {
    private_endpoint = { subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-n/providers/Microsoft.Network/virtualNetworks/v/subnets/s" }
  }
  assert {
    condition     = azurerm_private_endpoint.this[0].private_service_connection[0].subresource_names[0] == "redisEnterprise" && azurerm_managed_redis.this.public_network_access == "Disabled"
    error_message = "The private endpoint turns public access off."
  }
  assert {
    condition     = output.hostname == "amr-x.northeurope.redis.azure.net"
    error_message = "The output comes from the cache."
  }
}

run "rejects_a_user_by_name" {
  command = plan

  variables {
    users = ["anna"]
  }
  expect_failures = [var.users]
}

run "rejects_an_unknown_size" {
  command = plan

  variables {
    sku = "Basic_C0"
  }
  expect_failures = [var.sku]
}
