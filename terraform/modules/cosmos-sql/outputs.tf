output "id" {
  description = "Resource id of the account."
  value       = azurerm_cosmosdb_account.this.id
}

output "name" {
  description = "Name of the account."
  value       = azurerm_cosmosdb_account.this.name
}

output "endpoint" {
  description = "Address of the account."
  value       = azurerm_cosmosdb_account.this.endpoint
}

output "private_endpoint_id" {
  description = "Resource id of the private endpoint, or null."
  value       = one(azurerm_private_endpoint.this[*].id)
}
