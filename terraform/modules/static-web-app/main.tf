locals {
  env_code = { dev = "dev", staging = "stg", prod = "prd" }[var.environment]
  name     = "stapp-${var.name}-${local.env_code}-${var.instance}"
}

resource "azurerm_static_web_app" "this" {
  name                          = local.name
  resource_group_name           = var.resource_group_name
  location                      = var.site_location
  sku_tier                      = var.sku
  sku_size                      = var.sku
  preview_environments_enabled  = true
  public_network_access_enabled = var.private_endpoint == null
  tags                          = var.tags
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
    private_connection_resource_id = azurerm_static_web_app.this.id
    subresource_names              = ["staticSites"]
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
