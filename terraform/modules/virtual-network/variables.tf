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

variable "address_space" {
  type        = set(string)
  description = "Address ranges of the network, for example 10.20.0.0/22."
  nullable    = false

  validation {
    condition     = length(var.address_space) >= 1 && alltrue([for range in var.address_space : can(cidrhost(range, 0))])
    error_message = "The network has at least one range, written like 10.20.0.0/22."
  }
}

variable "subnets" {
  type        = map(string)
  description = "Subnets: name and address range, for example web = 10.20.0.0/26."
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name, range in var.subnets : can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", name)) && length(name) <= 30])
    error_message = "A subnet name has up to 30 lower-case letters, digits and single hyphens, and starts with a letter."
  }

  validation {
    condition     = alltrue([for name, range in var.subnets : can(cidrhost(range, 0))])
    error_message = "The range of a subnet is written like 10.20.0.0/26."
  }
}

variable "delegations" {
  type        = map(string)
  description = "Subnets that belong to one service: name and service, for example web = web-app."
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name, service in var.delegations : contains(["web-app", "container-apps", "container-instances"], service)])
    error_message = "A service is one of: web-app, container-apps, container-instances."
  }

  validation {
    condition     = alltrue([for name in keys(var.delegations) : contains(keys(var.subnets), name)])
    error_message = "Only a subnet of this network can belong to a service."
  }
}

variable "dns_servers" {
  type        = list(string)
  description = "Addresses of the DNS servers; empty for Azure's own."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.dns_servers : can(regex("^((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])$", address))])
    error_message = "A DNS server is an address like 10.20.0.4."
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
