locals {
  env_code = { dev = "dev", staging = "stg", prod = "prd" }[var.environment]
  unique   = coalesce(var.unique_suffix, var.instance)
  name     = "sbns-${var.name}-${local.env_code}-${local.unique}"
}

resource "azurerm_servicebus_namespace" "this" {
  name                          = local.name
  resource_group_name           = var.resource_group_name
  location                      = var.location
  sku                           = var.sku
  capacity                      = var.sku == "Premium" ? var.capacity : null
  premium_messaging_partitions  = var.sku == "Premium" ? 1 : null
  local_auth_enabled            = false
  minimum_tls_version           = "1.2"
  public_network_access_enabled = var.private_endpoint == null
  tags                          = var.tags
}

resource "azurerm_servicebus_queue" "this" {
  for_each                             = var.queues
  name                                 = each.key
  namespace_id                         = azurerm_servicebus_namespace.this.id
  max_delivery_count                   = var.max_delivery_count
  default_message_ttl                  = "P${var.message_days}D"
  dead_lettering_on_message_expiration = true
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
    private_connection_resource_id = azurerm_servicebus_namespace.this.id
    subresource_names              = ["namespace"]
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
