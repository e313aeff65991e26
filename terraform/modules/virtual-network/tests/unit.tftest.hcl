# Needs a provider for its schema and argument checks, real or sandbox, but no Azure and no credentials.
mock_provider "azurerm" {
  mock_resource "azurerm_virtual_network" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-x/providers/Microsoft.Network/virtualNetworks/vnet-x"
    }
  }
  mock_resource "azurerm_subnet" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-x/providers/Microsoft.Network/virtualNetworks/vnet-x/subnets/snet-web"
    }
  }
}

variables {
  name                = "shop"
  environment         = "dev"
  location            = "northeurope"
  resource_group_name = "rg-shop-dev-001"
  tags                = { "cost-center" = "cc1" }
  address_space       = ["10.20.0.0/22"]
  subnets             = { web = "10.20.0.0/26", data = "10.20.0.64/26" }
}

run "private_by_default" {
  command = plan

  assert {
    condition     = azurerm_virtual_network.this.name == "vnet-shop-dev-001" && azurerm_subnet.this["web"].name == "snet-web"
    error_message = "The names follow the naming rule."
  }
  assert {
    condition     = alltrue([for s in azurerm_subnet.this : !s.default_outbound_access_enabled])
    error_message = "Nothing reaches the internet by itself."
  }
  assert {
    condition     = azurerm_subnet.this["data"].address_prefixes[0] == "10.20.0.64/26" && length(azurerm_subnet.this["data"].delegation) == 0
    error_message = "A subnet has its range, and belongs to no service."
  }
}

run "a_subnet_for_one_service" {
  variables {
    delegations = { web = "web-app" }
  }
  assert {
    condition     = azurerm_subnet.this["web"].delegation[0].service_delegation[0].name == "Microsoft.Web/serverFarms"
    error_message = "The subnet belongs to the service."
  }
  assert {
    condition     = length(output.subnet_ids) == 2
    error_message = "The ids of the subnets are told."
  }
}

run "rejects_a_service_for_a_subnet_that_is_not_there" {
  command = plan

  variables {
    delegations = { jobs = "web-app" }
  }
  expect_failures = [var.delegations]
}

run "rejects_a_range_that_is_none" {
  command = plan

  variables {
    subnets = { web = "10.20.0.0" }
  }
  expect_failures = [var.subnets]
}

run "rejects_a_network_without_a_range" {
  command = plan

  variables {
    address_space = []
  }
  expect_failures = [var.address_space]
}

run "rejects_a_dns_server_by_name" {
  command = plan

  variables {
    dns_servers = ["dns.example.com"]
  }
  expect_failures = [var.dns_servers]
}
