locals {
  env_code = { dev = "dev", staging = "stg", prod = "prd" }[var.environment]
  unique   = coalesce(var.unique_suffix, var.instance)
  name     = "app-${var.name}-${local.env_code}-${local.unique}"
}

resource "azurerm_service_plan" "this" {
  name                = "asp-${var.name}-${local.env_code}-${local.unique}"
  resource_group_name = var.resource_group_name
  location            = var.location
  os_type             = "Linux"
  sku_name            = var.plan_sku
  tags                = var.tags
}

resource "azurerm_linux_web_app" "this" {
  name                          = local.name
  resource_group_name           = var.resource_group_name
  location                      = var.location
  service_plan_id               = azurerm_service_plan.this.id
  https_only                    = true
  public_network_access_enabled = var.private_endpoint == null
  virtual_network_subnet_id     = var.outbound_subnet_id
  app_settings                  = var.app_settings
  tags                          = var.tags

  ftp_publish_basic_authentication_enabled       = false
  webdeploy_publish_basic_authentication_enabled = false

  identity {
    type = "SystemAssigned"
  }

  site_config {
    always_on                         = true
    ftps_state                        = "Disabled"
    http2_enabled                     = true
    minimum_tls_version               = "1.2"
    scm_minimum_tls_version           = "1.2"
    health_check_path                 = var.health_check_path
    health_check_eviction_time_in_min = var.health_check_path == null ? null : 5
    vnet_route_all_enabled            = var.outbound_subnet_id != null

    application_stack {
      dotnet_version = startswith(var.runtime, "dotnet-") ? trimprefix(var.runtime, "dotnet-") : null
      node_version   = startswith(var.runtime, "node-") ? trimprefix(var.runtime, "node-") : null
      python_version = startswith(var.runtime, "python-") ? trimprefix(var.runtime, "python-") : null
    }
  }
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
    private_connection_resource_id = azurerm_linux_web_app.this.id
    subresource_names              = ["sites"]
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
