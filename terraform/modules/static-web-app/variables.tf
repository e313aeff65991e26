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
  description = "Standard has an uptime agreement, own sign-in and private endpoints; Free is for trials."
  default     = "Free"
  nullable    = false

  validation {
    condition     = contains(["Free", "Standard"], var.sku)
    error_message = "sku is one of: Free, Standard."
  }
}

variable "site_location" {
  type        = string
  description = "Region of the site itself; its content is served from everywhere."
  default     = "westeurope"
  nullable    = false

  validation {
    condition     = contains(["westeurope", "centralus", "eastus2", "westus2", "eastasia"], var.site_location)
    error_message = "site_location is one of: westeurope, centralus, eastus2, westus2, eastasia."
  }
}

variable "private_endpoint" {
  type = object({
    subnet_id            = string
    private_dns_zone_ids = optional(list(string), [])
  })
  description = "Private endpoint, which needs the Standard plan; null for none. With a private endpoint, public network access is off."
  default     = null

  validation {
    condition     = var.private_endpoint == null || var.sku == "Standard"
    error_message = "A private endpoint needs the Standard plan."
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
