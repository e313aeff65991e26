# Needs a provider for its schema and argument checks, real or sandbox, but no Azure and no credentials.
mock_provider "azurerm" {
  mock_resource "azurerm_network_interface" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-x/providers/Microsoft.Network/networkInterfaces/nic-x"
    }
  }
  mock_resource "azurerm_linux_virtual_machine" {
    defaults = {
      id                 = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-x/providers/Microsoft.Compute/virtualMachines/vm-x"
      private_ip_address = "10.0.0.4"
    }
  }
}

variables {
  name                = "shop"
  environment         = "dev"
  location            = "northeurope"
  resource_group_name = "rg-shop-dev-001"
  tags                = { "cost-center" = "cc1" }
  ssh_public_key      = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGm8xkPcBqJ5kzvVbPz0QmXy7u1JtVnQy1c9T2b0Wq5h anna@example.com"
  subnet_id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-n/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
}

run "secure_by_default" {
  command = plan

  assert {
    condition     = azurerm_linux_virtual_machine.this.name == "vm-shop-dev-001" && azurerm_linux_virtual_machine.this.computer_name == "shop-dev-001"
    error_message = "The names follow the naming rule."
  }
  assert {
    condition     = azurerm_linux_virtual_machine.this.disable_password_authentication && azurerm_linux_virtual_machine.this.secure_boot_enabled && azurerm_linux_virtual_machine.this.vtpm_enabled
    error_message = "There is no password, and the machine starts securely."
  }
  assert {
    condition     = azurerm_linux_virtual_machine.this.patch_mode == "AutomaticByPlatform"
    error_message = "Azure installs the updates."
  }
  assert {
    condition     = azurerm_network_interface.this.ip_configuration[0].subnet_id == var.subnet_id
    error_message = "The machine is in the subnet, without a public address."
  }
}

run "output_of_the_machine" {
  assert {
    condition     = output.private_ip == "10.0.0.4"
    error_message = "The output comes from the machine."
  }
}

run "rejects_a_private_key" {
  command = plan

  variables {
    ssh_public_key = "-----BEGIN OPENSSH PRIVATE KEY-----"
  }
  expect_failures = [var.ssh_public_key]
}

run "rejects_two_keys" {
  command = plan

  variables {
    ssh_public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGm8xkPcBqJ5kzvVbPz0QmXy7u1JtVnQy1c9T2b0Wq5h anna@example.com\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGm8xkPcBqJ5kzvVbPz0QmXy7u1JtVnQy1c9T2b0Wq5h anna@example.com"
  }
  expect_failures = [var.ssh_public_key]
}

run "rejects_a_subnet_by_its_name" {
  command = plan

  variables {
    subnet_id = "apps"
  }
  expect_failures = [var.subnet_id]
}
