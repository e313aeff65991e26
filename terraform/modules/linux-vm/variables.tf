variable "name" {
  type        = string
  description = "Workload short name, part of every resource name."
  nullable    = false

  validation {
    condition     = length(var.name) >= 3 && length(var.name) <= 12 && can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name))
    error_message = "The name has 3 to 12 lower-case letters, digits and single hyphens, and starts with a letter."
  }
}

variable "environment" {
  type        = string
  description = "Environment of the deployment."
  nullable    = false

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "The environment is dev, staging or prod."
  }
}

variable "location" {
  type        = string
  description = "Azure region in short form, for example northeurope."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]+$", var.location))
    error_message = "The region is written in short form, for example northeurope."
  }
}

variable "resource_group_name" {
  type        = string
  description = "Resource group of the business unit and environment."
  nullable    = false
}

variable "size" {
  type        = string
  description = "Size of the machine."
  default     = "Standard_B2s"
  nullable    = false

  validation {
    condition     = contains(["Standard_B1s", "Standard_B2s", "Standard_B2ms", "Standard_D2s_v5", "Standard_D4s_v5"], var.size)
    error_message = "size is one of: Standard_B1s, Standard_B2s, Standard_B2ms, Standard_D2s_v5, Standard_D4s_v5."
  }
}

variable "os_disk_gb" {
  type        = number
  description = "Disk of the machine in GB; it can grow, never shrink."
  default     = 64
  nullable    = false

  validation {
    condition     = contains([32, 64, 128, 256], var.os_disk_gb)
    error_message = "os_disk_gb is one of: 32, 64, 128, 256."
  }
}

variable "ssh_public_key" {
  type        = string
  description = "Public SSH key of the administrator, RSA or Ed25519, on one line."
  nullable    = false

  validation {
    condition     = can(regex("^ssh-(rsa|ed25519) [A-Za-z0-9+/]+=*( [^\\r\\n]*)?\\n?$", var.ssh_public_key))
    error_message = "The key is one line that starts with ssh-rsa or ssh-ed25519, as in a file that ends in .pub."
  }
}

variable "subnet_id" {
  type        = string
  description = "Resource id of the subnet that the machine is in."
  nullable    = false

  validation {
    condition     = can(regex("^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.Network/virtualNetworks/[^/]+/subnets/[^/]+$", var.subnet_id))
    error_message = "A subnet is written as its resource id: /subscriptions/.../virtualNetworks/.../subnets/..."
  }
}

variable "instance" {
  type        = string
  description = "Instance number, three digits."
  default     = "001"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{3}$", var.instance))
    error_message = "The instance has three digits."
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags written to every resource."
  default     = {}
  nullable    = false
}
