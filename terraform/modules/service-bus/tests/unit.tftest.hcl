# Needs a provider for its schema and argument checks, real or sandbox, but no Azure and no credentials.
mock_provider "azurerm" {
  mock_resource "azurerm_servicebus_namespace" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-x/providers/Microsoft.ServiceBus/namespaces/sbns-x"
    }
  }
}

variables {
  name                = "shop"
  environment         = "dev"
  location            = "northeurope"
  resource_group_name = "rg-shop-dev-001"
  tags                = { "cost-center" = "cc1" }
  queues              = ["orders", "mail"]
}

run "secure_by_default" {
  command = plan

  assert {
    condition     = azurerm_servicebus_namespace.this.name == "sbns-shop-dev-001"
    error_message = "The name follows the naming rule."
  }
  assert {
    condition     = !azurerm_servicebus_namespace.this.local_auth_enabled && azurerm_servicebus_namespace.this.minimum_tls_version == "1.2"
    error_message = "There are no shared keys, and TLS 1.2 is the least."
  }
  assert {
    condition     = azurerm_servicebus_queue.this["orders"].default_message_ttl == "P14D" && azurerm_servicebus_queue.this["orders"].dead_lettering_on_message_expiration
    error_message = "Old messages go to the dead-letter queue."
  }
  assert {
    condition     = output.hostname == "sbns-shop-dev-001.servicebus.windows.net"
    error_message = "Clients connect to the host name."
  }
}

run "standard_has_no_capacity" {
  command = plan

  variables {
    capacity = 4
  }
  assert {
    condition     = azurerm_servicebus_namespace.this.capacity == null && azurerm_servicebus_namespace.this.premium_messaging_partitions == null
    error_message = "Messaging units belong to Premium."
  }
}

run "private_endpoint_turns_public_access_off" {
  variables {
    sku              = "Premium"
    capacity         = 2
    private_endpoint = { subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-n/providers/Microsoft.Network/virtualNetworks/v/subnets/s" }
  }
  assert {
    condition     = azurerm_private_endpoint.this[0].private_service_connection[0].subresource_names[0] == "namespace" && !azurerm_servicebus_namespace.this.public_network_access_enabled
    error_message = "The private endpoint turns public access off."
  }
  assert {
    condition     = azurerm_servicebus_namespace.this.capacity == 2
    error_message = "Premium has messaging units."
  }
}

run "rejects_a_private_endpoint_in_standard" {
  command = plan

  variables {
    private_endpoint = { subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-n/providers/Microsoft.Network/virtualNetworks/v/subnets/s" }
  }
  expect_failures = [var.private_endpoint]
}

run "rejects_a_bad_queue_name" {
  command = plan

  variables {
    queues = ["-orders"]
  }
  expect_failures = [var.queues]
}
