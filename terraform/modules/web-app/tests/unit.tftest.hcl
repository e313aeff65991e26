# Needs a provider for its schema and argument checks, real or sandbox, but no Azure and no credentials.
mock_provider "azurerm" {
  mock_resource "azurerm_service_plan" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-x/providers/Microsoft.Web/serverFarms/asp-x"
    }
  }
  mock_resource "azurerm_linux_web_app" {
    defaults = {
      id               = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-x/providers/Microsoft.Web/sites/app-x"
      default_hostname = "app-x.azurewebsites.net"
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
    condition     = azurerm_linux_web_app.this.name == "app-shop-dev-001" && azurerm_service_plan.this.name == "asp-shop-dev-001"
    error_message = "The names follow the naming rule."
  }
  assert {
    condition     = azurerm_linux_web_app.this.https_only && azurerm_linux_web_app.this.site_config[0].minimum_tls_version == "1.2"
    error_message = "HTTPS and TLS 1.2 are the least."
  }
  assert {
    condition     = !azurerm_linux_web_app.this.ftp_publish_basic_authentication_enabled && !azurerm_linux_web_app.this.webdeploy_publish_basic_authentication_enabled
    error_message = "There are no publishing passwords."
  }
  assert {
    condition     = azurerm_linux_web_app.this.identity[0].type == "SystemAssigned"
    error_message = "The app has an identity."
  }
}

run "one_runtime" {
  command = plan

  variables {
    runtime = "node-24-lts"
  }
  assert {
    condition     = azurerm_linux_web_app.this.site_config[0].application_stack[0].node_version == "24-lts" && azurerm_linux_web_app.this.site_config[0].application_stack[0].python_version == null
    error_message = "Only the runtime that was asked for is set."
  }
}

run "private_endpoint_turns_public_access_off" {
  variables {
    private_endpoint = { subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-n/providers/Microsoft.Network/virtualNetworks/v/subnets/s" }
  }
  assert {
    condition     = azurerm_private_endpoint.this[0].private_service_connection[0].subresource_names[0] == "sites" && !azurerm_linux_web_app.this.public_network_access_enabled
    error_message = "The private endpoint turns public access off."
  }
  assert {
    condition     = output.url == "https://app-x.azurewebsites.net"
    error_message = "The output is an address to click on."
  }
}

run "outgoing_connections_go_through_the_subnet" {
  command = plan

  variables {
    outbound_subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-n/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
  }
  assert {
    condition     = azurerm_linux_web_app.this.virtual_network_subnet_id == var.outbound_subnet_id && azurerm_linux_web_app.this.site_config[0].vnet_route_all_enabled
    error_message = "All outgoing connections go through the subnet."
  }
}

run "rejects_a_setting_that_is_no_variable" {
  command = plan

  variables {
    app_settings = { "my setting" = "1" }
  }
  expect_failures = [var.app_settings]
}

run "rejects_a_health_check_elsewhere" {
  command = plan

  variables {
    health_check_path = "https://example.com/"
  }
  expect_failures = [var.health_check_path]
}
