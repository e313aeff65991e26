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

variable "sku_tier" {
  type        = string
  description = "Standard has an uptime agreement, Free has none."
  default     = "Standard"
  nullable    = false

  validation {
    condition     = contains(["Free", "Standard"], var.sku_tier)
    error_message = "sku_tier is one of: Free, Standard."
  }
}

variable "node_size" {
  type        = string
  description = "Size of each node."
  default     = "Standard_D2s_v5"
  nullable    = false

  validation {
    condition     = contains(["Standard_D2s_v5", "Standard_D4s_v5", "Standard_D8s_v5"], var.node_size)
    error_message = "node_size is one of: Standard_D2s_v5, Standard_D4s_v5, Standard_D8s_v5."
  }
}

variable "node_count" {
  type = object({
    min = number
    max = number
  })
  description = "Fewest and most nodes; the cluster scales between them."
  default     = { min = 2, max = 4 }
  nullable    = false

  validation {
    condition     = var.node_count.min >= 1 && var.node_count.min <= 20 && floor(var.node_count.min) == var.node_count.min
    error_message = "The fewest nodes are a whole number from 1 to 20."
  }

  validation {
    condition     = var.node_count.max >= 1 && var.node_count.max <= 20 && floor(var.node_count.max) == var.node_count.max
    error_message = "The most nodes are a whole number from 1 to 20."
  }

  validation {
    condition     = var.node_count.min <= var.node_count.max
    error_message = "The fewest nodes are not more than the most nodes."
  }
}

variable "subnet_id" {
  type        = string
  description = "Resource id of the subnet that the nodes are in; null for a network that Azure makes."
  default     = null

  validation {
    condition     = var.subnet_id == null || can(regex("^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.Network/virtualNetworks/[^/]+/subnets/[^/]+$", var.subnet_id))
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

variable "unique_suffix" {
  type        = string
  description = "Four characters that make a world-wide name unique; they replace the instance number. Empty: use the instance number."
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]{4})?$", var.unique_suffix))
    error_message = "The suffix is empty or has four lower-case letters or digits."
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags written to every resource."
  default     = {}
  nullable    = false
}
