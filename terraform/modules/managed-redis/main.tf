locals {
  env_code = { dev = "dev", staging = "stg", prod = "prd" }[var.environment]
  unique   = coalesce(var.unique_suffix, var.instance)
  name     = "amr-${var.name}-${local.env_code}-${local.unique}"
}

resource "azurerm_managed_redis" "this" {
  name                      = local.name
  resource_group_name       = var.resource_group_name
  location                  = var.location
  sku_name                  = var.sku
  high_availability_enabled = var.high_availability
  public_network_access     = var.private_endpoint == null ? "Enabled" : "Disabled"
  tags                      = var.tags

  default_database {
    client_protocol                    = "Encrypted"
    access_keys_authentication_enabled = false
    clustering_policy                  = "OSSCluster"
    eviction_policy                    = var.eviction_policy
  }
}

resource "azurerm_managed_redis_access_policy_assignment" "this" {
  for_each         = var.users
  managed_redis_id = azurerm_managed_redis.this.id
  object_id        = each.key
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
    private_connection_resource_id = azurerm_managed_redis.this.id
    subresource_names              = ["redisEnterprise"]
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
