"""What somebody asks for of each item, and what they change later: every field that can be changed is."""

from dataclasses import dataclass
from typing import Any

NAME = "web-shop-eu1"  # as long as a name can be
NETWORK = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-network/providers/Microsoft.Network"
SUBNETS = f"{NETWORK}/virtualNetworks/vnet-hub/subnets"
PRIVATE = {
    "subnet_id": f"{SUBNETS}/endpoints",
    "private_dns_zone_ids": [f"{NETWORK}/privateDnsZones/privatelink.example"],
}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGm8xkPcBqJ5kzvVbPz0QmXy7u1JtVnQy1c9T2b0Wq5h anna@example.com"
APP, PIPELINE = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
BUDGET = {"amount": 100, "start_date": "2026-12-01T00:00:00Z", "emails": ["anna@example.com"]}


@dataclass(frozen=True)
class Example:
    asked: dict[str, Any]
    changed: dict[str, Any]
    makes: int  # resources, before the change
    adds: int = 0  # resources, by the change


EXAMPLES = {
    "aks-cluster": Example(
        {"node_count": {"min": 2, "max": 4}, "subnet_id": f"{SUBNETS}/nodes"},
        {"node_count": {"min": 3, "max": 6}, "node_size": "Standard_D4s_v5", "sku_tier": "Free"},
        makes=1,
    ),
    "cosmos-sql": Example(
        {"databases": ["orders"], "serverless": False, "users": [APP], "private_endpoint": PRIVATE},
        {"databases": ["orders", "stock"], "autoscale_max_ru": 4000, "users": [APP, PIPELINE]},
        makes=4,
        adds=2,
    ),
    "key-vault": Example({"private_endpoint": PRIVATE}, {"sku": "premium"}, makes=2),
    "linux-vm": Example(
        {"ssh_public_key": KEY, "subnet_id": f"{SUBNETS}/machines"},
        {"size": "Standard_D2s_v5", "os_disk_gb": 128},
        makes=2,
    ),
    "managed-redis": Example(
        {"high_availability": True, "private_endpoint": PRIVATE},
        {"eviction_policy": "AllKeysLRU", "users": [APP]},
        makes=2,
        adds=1,
    ),
    "postgresql": Example(
        {"sku": "GP_Standard_D2ds_v5", "databases": ["orders"], "private_endpoint": PRIVATE},
        {
            "sku": "GP_Standard_D4ds_v5",
            "storage_gb": 64,
            "high_availability": True,
            "databases": ["orders", "stock"],
            "backup_retention_days": 14,
        },
        makes=4,
        adds=1,
    ),
    "resource-group": Example({"budget": BUDGET}, {"budget": {**BUDGET, "amount": 200}}, makes=2),
    "service-bus": Example(
        {"sku": "Premium", "queues": ["orders"], "private_endpoint": PRIVATE},
        {"queues": ["orders", "mail"], "max_delivery_count": 5, "message_days": 7, "capacity": 2},
        makes=3,
        adds=1,
    ),
    "static-web-app": Example({}, {"sku": "Standard"}, makes=1),
    "storage-account": Example(
        {"containers": ["invoices"], "replication": "LRS", "private_endpoint": PRIVATE},
        {
            "containers": ["invoices", "photos"],
            "replication": "GRS",
            "access_tier": "Cool",
            "soft_delete_days": 30,
        },
        makes=3,
        adds=1,
    ),
    "virtual-network": Example(
        {
            "address_space": ["10.20.0.0/22"],
            "subnets": {"web": "10.20.0.0/26"},
            "delegations": {"web": "web-app"},
        },
        {
            "address_space": ["10.20.0.0/22", "10.30.0.0/24"],
            "subnets": {"web": "10.20.0.0/26", "jobs": "10.30.0.0/26"},
            "delegations": {"web": "web-app", "jobs": "container-apps"},
            "dns_servers": ["10.20.1.4"],
        },
        makes=2,
        adds=1,
    ),
    "web-app": Example(
        {"app_settings": {"STAGE": "test"}, "private_endpoint": PRIVATE},
        {
            "plan_sku": "P0v3",
            "app_settings": {"STAGE": "test", "LOG_LEVEL": "info"},
            "health_check_path": "/healthz",
            "runtime": "node-24-lts",
            "outbound_subnet_id": f"{SUBNETS}/apps",
        },
        makes=3,
    ),
}
