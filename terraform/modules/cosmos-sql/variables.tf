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

variable "databases" {
  type        = set(string)
  description = "Databases to create."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for d in var.databases : can(regex("^[A-Za-z0-9_-]{1,255}$", d))])
    error_message = "A database name has up to 255 letters, digits, hyphens and underscores."
  }
}

variable "serverless" {
  type        = bool
  description = "Paid per request, instead of reserved throughput; it cannot be changed later."
  default     = true
  nullable    = false
}

variable "autoscale_max_ru" {
  type        = number
  description = "Most request units per second of each database; serverless has none."
  default     = 1000
  nullable    = false

  validation {
    condition     = var.autoscale_max_ru >= 1000 && var.autoscale_max_ru <= 100000 && var.autoscale_max_ru % 1000 == 0
    error_message = "The throughput is a multiple of 1000 from 1000 to 100000."
  }
}

variable "users" {
  type        = set(string)
  description = "Object ids of the Entra identities that may read and write."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.users : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", id))])
    error_message = "An object id has the form 00000000-0000-0000-0000-000000000000."
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
