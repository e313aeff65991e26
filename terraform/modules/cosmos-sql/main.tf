locals {
  env_code = { dev = "dev", staging = "stg", prod = "prd" }[var.environment]
  unique   = coalesce(var.unique_suffix, var.instance)
  name     = "cosno-${var.name}-${local.env_code}-${local.unique}"
}

resource "azurerm_cosmosdb_account" "this" {
  name                          = local.name
  resource_group_name           = var.resource_group_name
  location                      = var.location
  offer_type                    = "Standard"
  kind                          = "GlobalDocumentDB"
  local_authentication_enabled  = false
  minimal_tls_version           = "Tls12"
  automatic_failover_enabled    = false # there is one region
  public_network_access_enabled = var.private_endpoint == null
  tags                          = var.tags

  backup {
    type = "Continuous"
    tier = "Continuous7Days"
  }

  consistency_policy {
    consistency_level = "Session"
  }

  geo_location {
    location          = var.location
    failover_priority = 0
  }

  dynamic "capabilities" {
    for_each = var.serverless ? ["EnableServerless"] : []
    content {
      name = capabilities.value
    }
  }
}

resource "azurerm_cosmosdb_sql_database" "this" {
  for_each            = var.databases
  name                = each.key
  resource_group_name = var.resource_group_name
  account_name        = azurerm_cosmosdb_account.this.name

  dynamic "autoscale_settings" {
    for_each = var.serverless ? [] : [1]
    content {
      max_throughput = var.autoscale_max_ru
    }
  }
}

resource "azurerm_cosmosdb_sql_role_assignment" "this" {
  for_each            = var.users
  resource_group_name = var.resource_group_name
  account_name        = azurerm_cosmosdb_account.this.name
  role_definition_id  = "${azurerm_cosmosdb_account.this.id}/sqlRoleDefinitions/00000000-0000-0000-0000-000000000002" # built in: reads and writes data
  principal_id        = each.key
  scope               = azurerm_cosmosdb_account.this.id
}

resource "azurerm_private_endpoint" "this" {
  count                         = var.private_endpoint == null ? 0 : 1
  name                          = "pep-${local.name}"
  custom_network_interface_name = "nic-pep-${local.name}"
  location                      = var.location
  resource_group_name           = var.resource_group_name
  subnet_id                     = var.private_endpoint.subnet_id
  tags                          = var.tags

  private_service_connection {
    name                           = "psc-${local.name}"
    private_connection_resource_id = azurerm_cosmosdb_account.this.id
    subresource_names              = ["Sql"]
    is_manual_connection           = false
  }

  dynamic "private_dns_zone_group" {
    for_each = length(var.private_endpoint.private_dns_zone_ids) > 0 ? [1] : []
    content {
      name                 = "default"
      private_dns_zone_ids = var.private_endpoint.private_dns_zone_ids
    }
  }
}
