output "id" {
  description = "Resource id of the app."
  value       = azurerm_linux_web_app.this.id
}

output "name" {
  description = "Name of the app."
  value       = azurerm_linux_web_app.this.name
}

output "url" {
  description = "Address of the app."
  value       = "https://${azurerm_linux_web_app.this.default_hostname}"
}

output "principal_id" {
  description = "Object id of the managed identity, to give it access to other services."
  value       = azurerm_linux_web_app.this.identity[0].principal_id
}

output "private_endpoint_id" {
  description = "Resource id of the private endpoint, or null."
  value       = one(azurerm_private_endpoint.this[*].id)
}
