"""Pieces of configuration that the tests put together."""


def group(name: str = "rg-shop", location: str = "northeurope", tags: str = "{}") -> str:
    return f"""
resource "azurerm_resource_group" "this" {{
  name     = "{name}"
  location = "{location}"
  tags     = {tags}
}}
"""


def account(name: str = "stshop", group: str = "azurerm_resource_group.this.name", more: str = "") -> str:
    return f"""
resource "azurerm_storage_account" "this" {{
  name                     = "{name}"
  resource_group_name      = {group}
  location                 = "northeurope"
  account_tier             = "Standard"
  account_replication_type = "LRS"
  {more}
}}
"""


def container(name: str = "data") -> str:
    return f"""
resource "azurerm_storage_container" "this" {{
  name               = "{name}"
  storage_account_id = azurerm_storage_account.this.id
}}
"""


def server(storage_gb: int = 32, more: str = "") -> str:
    return f"""
resource "azurerm_postgresql_flexible_server" "this" {{
  name                = "psql-shop"
  resource_group_name = azurerm_resource_group.this.name
  location            = "northeurope"
  storage_mb          = {storage_gb * 1024}
  {more}
}}
"""


def budget(thresholds: str = "[80]", start: str = "2026-12-01T00:00:00Z") -> str:
    return f"""
resource "azurerm_consumption_budget_resource_group" "this" {{
  name              = "budget"
  resource_group_id = azurerm_resource_group.this.id
  amount            = 100
  time_period {{
    start_date = "{start}"
  }}
  dynamic "notification" {{
    for_each = {thresholds}
    content {{
      operator       = "GreaterThan"
      threshold      = notification.value
      contact_emails = ["anna@example.com"]
    }}
  }}
}}
"""


def machine(key: str = "ssh-ed25519 AAAA anna", disk_gb: int = 32, image: str = "server") -> str:
    return f"""
resource "azurerm_linux_virtual_machine" "this" {{
  name                  = "vm-shop"
  resource_group_name   = azurerm_resource_group.this.name
  location              = "northeurope"
  size                  = "Standard_B2s"
  admin_username        = "azureadmin"
  network_interface_ids = ["nic"]
  admin_ssh_key {{
    username   = "azureadmin"
    public_key = "{key}"
  }}
  os_disk {{
    caching      = "ReadWrite"
    disk_size_gb = {disk_gb}
  }}
  source_image_reference {{
    publisher = "Canonical"
    offer     = "ubuntu"
    sku       = "{image}"
    version   = "latest"
  }}
}}
"""
