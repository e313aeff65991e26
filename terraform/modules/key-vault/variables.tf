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

variable "sku" {
  type        = string
  description = "standard keeps keys in software, premium can keep them in hardware."
  default     = "standard"
  nullable    = false

  validation {
    condition     = contains(["standard", "premium"], var.sku)
    error_message = "sku is one of: standard, premium."
  }
}

variable "soft_delete_days" {
  type        = number
  description = "Days for which deleted secrets, keys and the vault itself can be restored; it cannot be changed later."
  default     = 90
  nullable    = false

  validation {
    condition     = var.soft_delete_days >= 7 && var.soft_delete_days <= 90 && floor(var.soft_delete_days) == var.soft_delete_days
    error_message = "The number of days is a whole number from 7 to 90."
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
