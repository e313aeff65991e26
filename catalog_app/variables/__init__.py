"""Terraform variables: read from a module, turned into JSON Schema, and used to check values."""
