locals {
  env_code = { dev = "dev", staging = "stg", prod = "prd" }[var.environment]
  unique   = coalesce(var.unique_suffix, var.instance)
  name     = "aks-${var.name}-${local.env_code}-${local.unique}"
}

data "azurerm_client_config" "current" {}

resource "azurerm_kubernetes_cluster" "this" {
  name                      = local.name
  resource_group_name       = var.resource_group_name
  node_resource_group       = "rg-${local.name}-nodes"
  location                  = var.location
  dns_prefix                = local.name
  sku_tier                  = var.sku_tier
  automatic_upgrade_channel = "patch"
  node_os_upgrade_channel   = "NodeImage"
  oidc_issuer_enabled       = true
  workload_identity_enabled = true
  local_account_disabled    = true
  private_cluster_enabled   = var.environment != "dev"
  azure_policy_enabled      = true
  tags                      = var.tags

  default_node_pool {
    name                        = "system"
    temporary_name_for_rotation = "rotation" # of the nodes that serve while another size is rolled out
    vm_size                     = var.node_size
    auto_scaling_enabled        = true
    min_count                   = var.node_count.min
    max_count                   = var.node_count.max
    os_disk_size_gb             = 128
    os_disk_type                = "Managed"
    os_sku                      = "AzureLinux"
    vnet_subnet_id              = var.subnet_id
    tags                        = var.tags

    upgrade_settings {
      max_surge = "10%" # Azure's default; left out, every plan would show it as a change
    }
  }

  identity {
    type = "SystemAssigned"
  }

  azure_active_directory_role_based_access_control {
    azure_rbac_enabled = true
    tenant_id          = data.azurerm_client_config.current.tenant_id
  }

  network_profile {
    network_plugin      = "azure"
    network_plugin_mode = "overlay"
    network_policy      = "cilium"
    network_data_plane  = "cilium"
  }

  node_provisioning_profile {
    mode = "Manual"
  }

  lifecycle {
    ignore_changes = [default_node_pool[0].node_count] # the autoscaler's business
  }
}
