output "id" {
  description = "Resource id of the site."
  value       = azurerm_static_web_app.this.id
}

output "name" {
  description = "Name of the site."
  value       = azurerm_static_web_app.this.name
}

output "url" {
  description = "Address of the site."
  value       = "https://${azurerm_static_web_app.this.default_host_name}"
}

output "private_endpoint_id" {
  description = "Resource id of the private endpoint, or null."
  value       = one(azurerm_private_endpoint.this[*].id)
}
