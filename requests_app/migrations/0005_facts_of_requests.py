from collections.abc import Iterable
from typing import Any

from django.db import migrations, models

BATCH = 500
# What was not kept before this release, in a form that rules can read.
NO_BUDGET = {
    "exists": False, "monthly": 0.0, "currency": "", "held": 0.0, "committed": 0.0, "remaining": 0.0, "extra": 0.0,
    "after": 0.0, "action": "none", "exceeded": False, "message": "",
}  # fmt: skip


def keep_known_facts(apps: Any, schema_editor: Any) -> None:
    """Give requests from before what can still be known: those that run need it, and replays look at all of them."""
    model = apps.get_model("requests_app", "ServiceRequest")
    related = ("item_version__item", "deployment__owner", "business_unit", "requester")
    large = [f"item_version__{name}" for name in ("files", "schema", "manifest", "server_checks")]
    rows = model.objects.filter(facts={}).select_related(*related).defer(*large).order_by("pk")
    for batch in _batches(rows.iterator(BATCH)):
        for row in batch:
            row.facts = _facts(row)
        model.objects.bulk_update(batch, ["facts"])


def _batches(rows: Iterable[Any]) -> Iterable[list[Any]]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _facts(row: Any) -> dict[str, Any]:
    unit, deployment, owner = row.business_unit, row.deployment, row.deployment.owner
    monthly = float(row.estimate.get("monthly", 0))
    at = row.submitted_at
    return {
        "kind": row.kind,
        "item": row.item_version.item.slug,
        "lifecycle": row.item_version.item.lifecycle,
        "environment": row.environment,
        "region": row.region,
        "business_unit": unit.slug,
        "cost_center": unit.cost_center,
        "requester": row.requester.username,
        "name": deployment.name,
        "tags": {
            "business-unit": unit.slug,
            "cost-center": unit.cost_center,
            "environment": row.environment,
            "deployment": deployment.name,
            "owner": owner.email or owner.username,
            "managed-by": "groundwork",
        },
        "params": row.parameters,
        "justification": row.justification,
        "ttl_days": row.ttl_days,
        "allow_replace": row.allow_replace,
        "estimate": {
            "monthly": monthly,
            "extra": monthly - float(row.cost_before),
            "complete": row.kind == "destroy" or row.monthly_cost is not None,
        },
        "deployment": {"monthly": float(row.cost_before), "version": row.upgrade_from},
        "budget": NO_BUDGET,
        "now": {"weekday": at.isoweekday(), "hour": at.hour, "date": at.date().isoformat()},
    }


class Migration(migrations.Migration):
    dependencies = [
        ("requests_app", "0004_request_version"),
    ]

    operations = [
        migrations.AddField(
            model_name="servicerequest",
            name="facts",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="servicerequest",
            name="trial",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="servicerequest",
            name="approver_role",
            field=models.CharField(
                choices=[("approver", "Approver"), ("bu_admin", "Business unit admin")],
                db_default="approver",
                default="approver",
                max_length=12,
            ),
        ),
        migrations.RunPython(keep_known_facts, migrations.RunPython.noop),
    ]
