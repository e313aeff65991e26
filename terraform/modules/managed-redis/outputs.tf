output "id" {
  description = "Resource id of the cache."
  value       = azurerm_managed_redis.this.id
}

output "name" {
  description = "Name of the cache."
  value       = azurerm_managed_redis.this.name
}

output "hostname" {
  description = "Host name of the cache."
  value       = azurerm_managed_redis.this.hostname
}

output "port" {
  description = "Port of the cache."
  value       = azurerm_managed_redis.this.default_database[0].port
}

output "private_endpoint_id" {
  description = "Resource id of the private endpoint, or null."
  value       = one(azurerm_private_endpoint.this[*].id)
}
