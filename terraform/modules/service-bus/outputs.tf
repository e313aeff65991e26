output "id" {
  description = "Resource id of the namespace."
  value       = azurerm_servicebus_namespace.this.id
}

output "name" {
  description = "Name of the namespace."
  value       = azurerm_servicebus_namespace.this.name
}

output "hostname" {
  description = "Host name that clients connect to."
  value       = "${azurerm_servicebus_namespace.this.name}.servicebus.windows.net"
}

output "queue_ids" {
  description = "Resource ids of the queues by name."
  value       = { for k, q in azurerm_servicebus_queue.this : k => q.id }
}

output "private_endpoint_id" {
  description = "Resource id of the private endpoint, or null."
  value       = one(azurerm_private_endpoint.this[*].id)
}
