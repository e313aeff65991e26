output "id" {
  description = "Resource id of the cluster."
  value       = azurerm_kubernetes_cluster.this.id
}

output "name" {
  description = "Name of the cluster."
  value       = azurerm_kubernetes_cluster.this.name
}

output "api_host" {
  description = "Host name of the API server; private outside dev."
  value       = var.environment == "dev" ? azurerm_kubernetes_cluster.this.fqdn : azurerm_kubernetes_cluster.this.private_fqdn
}

output "oidc_issuer_url" {
  description = "Issuer for workload identities."
  value       = azurerm_kubernetes_cluster.this.oidc_issuer_url
}

output "node_resource_group" {
  description = "Resource group that Azure makes for the nodes."
  value       = azurerm_kubernetes_cluster.this.node_resource_group
}
