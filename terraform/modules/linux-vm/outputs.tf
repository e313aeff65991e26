output "id" {
  description = "Resource id of the machine."
  value       = azurerm_linux_virtual_machine.this.id
}

output "name" {
  description = "Name of the machine."
  value       = azurerm_linux_virtual_machine.this.name
}

output "private_ip" {
  description = "Private address of the machine."
  value       = azurerm_linux_virtual_machine.this.private_ip_address
}

output "principal_id" {
  description = "Object id of the managed identity, to give it access to other services."
  value       = azurerm_linux_virtual_machine.this.identity[0].principal_id
}
