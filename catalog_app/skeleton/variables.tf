variable "name" {
  type        = string
  description = "Workload short name, part of every resource name."
  nullable    = false

  validation {
    condition     = length(var.name) >= 3 && length(var.name) <= 12 && can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name))
    error_message = "The name has 3 to 12 lower-case letters, digits and single hyphens, and starts with a letter."
  }
}

variable "purpose" {
  type        = string
  description = "What it is for, in a few words."
  default     = "not said"
  nullable    = false

  validation {
    condition     = length(var.purpose) >= 1 && length(var.purpose) <= 200
    error_message = "The purpose has 1 to 200 characters."
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

variable "tags" {
  type        = map(string)
  description = "Tags written to every resource."
  default     = {}
  nullable    = false
}
