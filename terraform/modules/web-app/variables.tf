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

variable "plan_sku" {
  type        = string
  description = "Size of the plan that the app runs on."
  default     = "B1"
  nullable    = false

  validation {
    condition     = contains(["B1", "B2", "B3", "S1", "P0v3", "P1v3", "P2v3"], var.plan_sku)
    error_message = "plan_sku is one of: B1, B2, B3, S1, P0v3, P1v3, P2v3."
  }
}

variable "runtime" {
  type        = string
  description = "Language and version of the app."
  default     = "python-3.13"
  nullable    = false

  validation {
    condition     = contains(["dotnet-8.0", "dotnet-10.0", "node-22-lts", "node-24-lts", "python-3.12", "python-3.13"], var.runtime)
    error_message = "runtime is one of: dotnet-8.0, dotnet-10.0, node-22-lts, node-24-lts, python-3.12, python-3.13."
  }
}

variable "app_settings" {
  type        = map(string)
  description = "Settings that the app gets as environment variables. No secrets: use references to a key vault."
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name, value in var.app_settings : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name))])
    error_message = "The name of a setting has letters, digits and underscores and starts with a letter or underscore."
  }
}

variable "health_check_path" {
  type        = string
  description = "Path that answers when the app is well; null for no health check."
  default     = null

  validation {
    condition     = var.health_check_path == null || can(regex("^/[A-Za-z0-9/._~-]*$", var.health_check_path))
    error_message = "The path starts with a slash and has letters, digits and / . _ ~ -"
  }
}

variable "outbound_subnet_id" {
  type        = string
  description = "Resource id of a subnet delegated to web apps, through which the app reaches private services; null for none."
  default     = null

  validation {
    condition     = var.outbound_subnet_id == null || can(regex("^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.Network/virtualNetworks/[^/]+/subnets/[^/]+$", var.outbound_subnet_id))
    error_message = "A subnet is written as its resource id: /subscriptions/.../virtualNetworks/.../subnets/..."
  }
}

variable "private_endpoint" {
  type = object({
    subnet_id            = string
    private_dns_zone_ids = optional(list(string), [])
  })
  description = "Private endpoint; null for none. With a private endpoint, public network access is off."
  default     = null
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
