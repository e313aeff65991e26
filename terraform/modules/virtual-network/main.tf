locals {
  env_code = { dev = "dev", staging = "stg", prod = "prd" }[var.environment]
  name     = "vnet-${var.name}-${local.env_code}-${var.instance}"
  # What Azure writes into a subnet of a service; left out, every plan would show it as a change.
  services = {
    web-app             = { name = "Microsoft.Web/serverFarms", action = "Microsoft.Network/virtualNetworks/subnets/action" }
    container-apps      = { name = "Microsoft.App/environments", action = "Microsoft.Network/virtualNetworks/subnets/join/action" }
    container-instances = { name = "Microsoft.ContainerInstance/containerGroups", action = "Microsoft.Network/virtualNetworks/subnets/action" }
  }
}

resource "azurerm_virtual_network" "this" {
  name                = local.name
  resource_group_name = var.resource_group_name
  location            = var.location
  address_space       = var.address_space
  dns_servers         = var.dns_servers
  tags                = var.tags
}

resource "azurerm_subnet" "this" {
  for_each                          = var.subnets
  name                              = "snet-${each.key}"
  resource_group_name               = var.resource_group_name
  virtual_network_name              = azurerm_virtual_network.this.name
  address_prefixes                  = [each.value]
  default_outbound_access_enabled   = false
  private_endpoint_network_policies = "Enabled"

  dynamic "delegation" {
    for_each = contains(keys(var.delegations), each.key) ? [local.services[var.delegations[each.key]]] : []
    content {
      name = "delegation"

      service_delegation {
        name    = delegation.value.name
        actions = [delegation.value.action]
      }
    }
  }
}
