"""What a plan would do, told without secrets, and what the worker itself refuses to do."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from consumer.worker.redact import without_sensitive
from consumer.worker.root import short

Change = dict[str, Any]  # {"address", "type", "change": {"actions", "before", "after", "replace_paths"}}
# Access is taken away by deleting what gave it: nothing is lost, and it must be possible at any time.
ACCESS: Final = {"azurerm_cosmosdb_sql_role_assignment", "azurerm_managed_redis_access_policy_assignment"}


def changes(plan: Mapping[str, Any]) -> list[Change]:
    """The changing resources of `show -json`. Its other sections hold variables in clear and stay here."""
    return [
        {
            "address": short(resource["address"]),
            "type": resource["type"],
            "change": {
                "actions": resource["change"]["actions"],
                "before": _visible(resource["change"], "before"),
                "after": _visible(resource["change"], "after"),
                "replace_paths": resource["change"].get("replace_paths", []),
            },
        }
        for resource in plan.get("resource_changes", [])
        if resource["change"]["actions"] not in (["no-op"], ["read"])
    ]


def counts(planned: Sequence[Change]) -> dict[str, int]:
    """As in the "Plan: …" line: a replacement is one to add and one to destroy. `replace` counts those."""
    actions = [change["change"]["actions"] for change in planned]
    return {
        "add": sum("create" in each for each in actions),
        "change": sum("update" in each for each in actions),
        "destroy": sum("delete" in each for each in actions),
        "replace": sum("create" in each and "delete" in each for each in actions),
    }


def refusal(planned: Sequence[Change], *, kind: str, allow_replace: bool) -> str:
    """Why this plan must not be applied, or an empty text."""
    if kind == "destroy" or allow_replace:
        return ""
    losses = [
        _loss(change)
        for change in planned
        if "delete" in change["change"]["actions"] and change["type"] not in ACCESS
    ]
    if not losses:
        return ""
    return f"Refused, because this {kind} would {' and '.join(losses)}. Nothing was changed."


def in_words(finding: Mapping[str, Any]) -> str:
    """What a rule says of a part of the plan: where, with its value, why, and what to do."""
    value = f" = {json.dumps(finding['value'])}" if finding["value"] is not None else ""
    where = " ".join(part for part in (finding["address"], f"{finding['field']}{value}") if part)
    words = (f"{where}:" if where else "", finding["message"], finding["hint"], f"(rule {finding['rule']})")
    return " ".join(word for word in words if word)


def resources(state: Mapping[str, Any]) -> list[dict[str, str]]:
    """What exists, from `show -json` of a state: address, type and id."""
    root = (state.get("values") or {}).get("root_module", {})
    return [
        {
            "address": short(resource["address"]),
            "type": resource["type"],
            "id": str(resource["values"].get("id") or ""),
        }
        for resource in _resources(root)
        if resource["mode"] == "managed"
    ]


def outputs(state: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs that may be shown."""
    found = (state.get("values") or {}).get("outputs", {})
    return {name: output.get("value") for name, output in found.items() if not output.get("sensitive")}


def _visible(change: Mapping[str, Any], side: str) -> Any:
    return without_sensitive(change.get(side), change.get(f"{side}_sensitive"))


def _loss(change: Change) -> str:
    address = change["address"]
    if "create" not in change["change"]["actions"]:
        return f"delete {address}"
    causes = sorted({".".join(str(part) for part in path) for path in change["change"]["replace_paths"]})
    because = f" ({', '.join(causes)} changes)" if causes else ""
    return f"replace {address}{because}"


def _resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from _resources(child)
