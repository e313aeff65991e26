locals {
  env_code = { dev = "dev", staging = "stg", prod = "prd" }[var.environment]
}

# Put your own resources here. Each takes var.tags.
resource "azurerm_resource_group" "this" {
  name     = "rg-${var.name}-${local.env_code}-001"
  location = var.location
  tags     = merge(var.tags, { purpose = var.purpose })
}
