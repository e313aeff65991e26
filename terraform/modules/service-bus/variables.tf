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
  description = "Standard is shared with others; Premium has capacity of its own and private endpoints. It cannot be changed later."
  default     = "Standard"
  nullable    = false

  validation {
    condition     = contains(["Standard", "Premium"], var.sku)
    error_message = "sku is one of: Standard, Premium."
  }
}

variable "capacity" {
  type        = number
  description = "Messaging units of the Premium tier; Standard has none."
  default     = 1
  nullable    = false

  validation {
    condition     = contains([1, 2, 4, 8, 16], var.capacity)
    error_message = "capacity is one of: 1, 2, 4, 8, 16."
  }
}

variable "queues" {
  type        = set(string)
  description = "Queues to create."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for q in var.queues : can(regex("^[a-z0-9]([a-z0-9._-]{0,48}[a-z0-9])?$", q))])
    error_message = "A queue name has up to 50 lower-case letters, digits, dots, hyphens and underscores, and starts and ends with a letter or digit."
  }
}

variable "max_delivery_count" {
  type        = number
  description = "Tries to handle a message before it goes to the dead-letter queue."
  default     = 10
  nullable    = false

  validation {
    condition     = var.max_delivery_count >= 1 && var.max_delivery_count <= 2000 && floor(var.max_delivery_count) == var.max_delivery_count
    error_message = "A message is tried 1 to 2000 times."
  }
}

variable "message_days" {
  type        = number
  description = "Days for which a message waits before it goes to the dead-letter queue."
  default     = 14
  nullable    = false

  validation {
    condition     = var.message_days >= 1 && var.message_days <= 365 && floor(var.message_days) == var.message_days
    error_message = "A message waits 1 to 365 whole days."
  }
}

variable "private_endpoint" {
  type = object({
    subnet_id            = string
    private_dns_zone_ids = optional(list(string), [])
  })
  description = "Private endpoint, which needs the Premium tier; null for none. With a private endpoint, public network access is off."
  default     = null

  validation {
    condition     = var.private_endpoint == null || var.sku == "Premium"
    error_message = "A private endpoint needs the Premium tier."
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
