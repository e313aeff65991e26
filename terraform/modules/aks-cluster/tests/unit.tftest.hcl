# Needs a provider for its schema and argument checks, real or sandbox, but no Azure and no credentials.
mock_provider "azurerm" {
  mock_resource "azurerm_kubernetes_cluster" {
    defaults = {
      id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-x/providers/Microsoft.ContainerService/managedClusters/aks-x"
      fqdn         = "aks-x.hcp.northeurope.azmk8s.io"
      private_fqdn = "aks-x.privatelink.northeurope.azmk8s.io"
    }
  }
  mock_data "azurerm_client_config" {
    defaults = {
      tenant_id = "11111111-1111-1111-1111-111111111111"
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
    condition     = azurerm_kubernetes_cluster.this.name == "aks-shop-dev-001" && azurerm_kubernetes_cluster.this.node_resource_group == "rg-aks-shop-dev-001-nodes"
    error_message = "The names follow the naming rule."
  }
  assert {
    condition     = azurerm_kubernetes_cluster.this.local_account_disabled && azurerm_kubernetes_cluster.this.azure_active_directory_role_based_access_control[0].azure_rbac_enabled
    error_message = "Entra decides who gets in and what they may do."
  }
  assert {
    condition     = azurerm_kubernetes_cluster.this.workload_identity_enabled && azurerm_kubernetes_cluster.this.oidc_issuer_enabled
    error_message = "Workloads have identities instead of secrets."
  }
  assert {
    condition     = azurerm_kubernetes_cluster.this.default_node_pool[0].tags["cost-center"] == "cc1"
    error_message = "The nodes have the tags as well."
  }
}

run "private_outside_dev" {
  variables {
    environment = "staging"
  }
  assert {
    condition     = azurerm_kubernetes_cluster.this.private_cluster_enabled
    error_message = "The API server is private."
  }
  assert {
    condition     = output.api_host == "aks-x.privatelink.northeurope.azmk8s.io"
    error_message = "The output is the private name."
  }
}

run "public_with_sign_in_in_dev" {
  assert {
    condition     = !azurerm_kubernetes_cluster.this.private_cluster_enabled
    error_message = "The API server can be reached."
  }
  assert {
    condition     = output.api_host == "aks-x.hcp.northeurope.azmk8s.io"
    error_message = "The output is the public name."
  }
}

run "scales_between_its_limits" {
  command = plan

  variables {
    node_count = { min = 1, max = 9 }
  }
  assert {
    condition     = azurerm_kubernetes_cluster.this.default_node_pool[0].auto_scaling_enabled && azurerm_kubernetes_cluster.this.default_node_pool[0].min_count == 1 && azurerm_kubernetes_cluster.this.default_node_pool[0].max_count == 9
    error_message = "The limits are those that were asked for."
  }
}

run "rejects_limits_the_wrong_way_round" {
  command = plan

  variables {
    node_count = { min = 5, max = 3 }
  }
  expect_failures = [var.node_count]
}

run "rejects_half_a_node" {
  command = plan

  variables {
    node_count = { min = 1.5, max = 3 }
  }
  expect_failures = [var.node_count]
}
