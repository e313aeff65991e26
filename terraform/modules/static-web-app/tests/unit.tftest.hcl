# Needs a provider for its schema and argument checks, real or sandbox, but no Azure and no credentials.
mock_provider "azurerm" {
  mock_resource "azurerm_static_web_app" {
    defaults = {
      id                = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-x/providers/Microsoft.Web/staticSites/stapp-x"
      default_host_name = "stapp-x.azurestaticapps.net"
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

run "free_and_in_europe_by_default" {
  command = plan

  assert {
    condition     = azurerm_static_web_app.this.name == "stapp-shop-dev-001"
    error_message = "The name follows the naming rule."
  }
  assert {
    condition     = azurerm_static_web_app.this.location == "westeurope"
    error_message = "The site is where Azure offers it."
  }
  assert {
    condition     = azurerm_static_web_app.this.sku_tier == "Free" && azurerm_static_web_app.this.sku_size == "Free"
    error_message = "Both arguments name the plan."
  }
}

run "private_endpoint_turns_public_access_off" {
  variables {
    sku              = "Standard"
    private_endpoint = { subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-n/providers/Microsoft.Network/virtualNetworks/v/subnets/s" }
  }
  assert {
    condition     = azurerm_private_endpoint.this[0].private_service_connection[0].subresource_names[0] == "staticSites" && !azurerm_static_web_app.this.public_network_access_enabled
    error_message = "The private endpoint turns public access off."
  }
  assert {
    condition     = azurerm_private_endpoint.this[0].location == "northeurope"
    error_message = "The endpoint is where the network is."
  }
  assert {
    condition     = output.url == "https://stapp-x.azurestaticapps.net"
    error_message = "The output is an address to click on."
  }
}

run "rejects_a_private_endpoint_in_free" {
  command = plan

  variables {
    private_endpoint = { subnet_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-n/providers/Microsoft.Network/virtualNetworks/v/subnets/s" }
  }
  expect_failures = [var.private_endpoint]
}

run "rejects_a_region_without_the_service" {
  command = plan

  variables {
    site_location = "northeurope"
  }
  expect_failures = [var.site_location]
}
