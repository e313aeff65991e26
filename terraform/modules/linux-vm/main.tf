locals {
  env_code = { dev = "dev", staging = "stg", prod = "prd" }[var.environment]
  host     = "${var.name}-${local.env_code}-${var.instance}"
  name     = "vm-${local.host}"
}

resource "azurerm_network_interface" "this" {
  name                = "nic-${local.name}"
  location            = var.location
  resource_group_name = var.resource_group_name
  tags                = var.tags

  ip_configuration {
    name                          = "internal"
    subnet_id                     = var.subnet_id
    private_ip_address_allocation = "Dynamic"
  }
}

resource "azurerm_linux_virtual_machine" "this" {
  name                            = local.name
  computer_name                   = local.host
  resource_group_name             = var.resource_group_name
  location                        = var.location
  size                            = var.size
  admin_username                  = "azureadmin"
  disable_password_authentication = true
  network_interface_ids           = [azurerm_network_interface.this.id]
  secure_boot_enabled             = true
  vtpm_enabled                    = true
  patch_mode                      = "AutomaticByPlatform"
  patch_assessment_mode           = "AutomaticByPlatform"
  reboot_setting                  = "IfRequired"
  tags                            = var.tags

  admin_ssh_key {
    username   = "azureadmin"
    public_key = trimspace(var.ssh_public_key)
  }

  boot_diagnostics {} # in a storage account of Azure's own

  identity {
    type = "SystemAssigned"
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "Premium_LRS"
    disk_size_gb         = var.os_disk_gb
  }

  source_image_reference {
    publisher = "Canonical"
    offer     = "ubuntu-24_04-lts"
    sku       = "server"
    version   = "latest"
  }
}
