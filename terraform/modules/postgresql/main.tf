locals {
  env_code = { dev = "dev", staging = "stg", prod = "prd" }[var.environment]
  unique   = coalesce(var.unique_suffix, var.instance)
  name     = "psql-${var.name}-${local.env_code}-${local.unique}"
}

resource "azurerm_postgresql_flexible_server" "this" {
  name                          = local.name
  resource_group_name           = var.resource_group_name
  location                      = var.location
  version                       = var.postgres_version
  sku_name                      = var.sku
  storage_mb                    = var.storage_gb * 1024
  auto_grow_enabled             = false # growth outside Terraform would be planned as a shrink, which replaces the server
  backup_retention_days         = var.backup_retention_days
  geo_redundant_backup_enabled  = var.environment == "prod"
  public_network_access_enabled = var.private_endpoint == null
  tags                          = var.tags

  authentication {
    active_directory_auth_enabled = true
    password_auth_enabled         = false
    tenant_id                     = var.entra_admin.tenant_id
  }

  dynamic "high_availability" {
    for_each = var.high_availability ? [1] : []
    content {
      mode = "ZoneRedundant"
    }
  }

  lifecycle {
    ignore_changes = [zone, high_availability[0].standby_availability_zone] # Azure chooses both and swaps them on failover

    precondition {
      condition     = !(var.environment == "prod" && startswith(var.sku, "B_"))
      error_message = "Burstable sizes are not allowed in prod."
    }
  }
}

resource "azurerm_postgresql_flexible_server_active_directory_administrator" "this" {
  server_name         = azurerm_postgresql_flexible_server.this.name
  resource_group_name = var.resource_group_name
  tenant_id           = var.entra_admin.tenant_id
  object_id           = var.entra_admin.object_id
  principal_name      = var.entra_admin.name
  principal_type      = var.entra_admin.type

  lifecycle {
    replace_triggered_by = [azurerm_postgresql_flexible_server.this.id] # a new server of the same name has no administrator
  }
}

resource "azurerm_postgresql_flexible_server_database" "this" {
  for_each  = var.databases
  name      = each.key
  server_id = azurerm_postgresql_flexible_server.this.id
  charset   = "UTF8"
  collation = "en_US.utf8"
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
    private_connection_resource_id = azurerm_postgresql_flexible_server.this.id
    subresource_names              = ["postgresqlServer"]
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
