"""The words of the pages for names that code uses."""

# State of anything that has one: tone, icon, words.
BADGES = {
    # requests
    "submitted": ("warn", "clock", "Waiting for approval"),
    "approved": ("info", "circle-check", "Approved"),
    "queued": ("mute", "clock", "Queued"),
    "running": ("info", "loader", "Running"),
    "stopping": ("warn", "loader", "Stopping"),
    "succeeded": ("ok", "circle-check", "Done"),
    "failed": ("bad", "circle-x", "Failed"),
    "rejected": ("mute", "circle-x", "Rejected"),
    "cancelled": ("mute", "ban", "Cancelled"),
    "expired": ("mute", "clock-alert", "Expired"),
    # deployments
    "new": ("mute", "clock", "Not built yet"),
    "ready": ("ok", "circle-check", "Ready"),
    "incomplete": ("warn", "triangle-alert", "Incomplete"),
    "destroyed": ("mute", "trash-2", "Removed"),
    "abandoned": ("mute", "ban", "Not built"),
    # catalog items
    "ga": ("ok", "circle-check", "Stable"),
    "preview": ("info", "flask-conical", "Preview"),
    "deprecated": ("warn", "archive", "Retiring"),
    "draft": ("mute", "pencil", "Draft"),
    "retired": ("mute", "archive", "Retired"),
    # rules
    "deny": ("bad", "circle-x", "Not allowed"),
    "require_approval": ("warn", "user-check", "An approver decides"),
    "bu_admin": ("warn", "user-check", "An admin decides"),
    "warn": ("mute", "triangle-alert", "Note"),
    "dry_run": ("info", "flask-conical", "Tried out"),
}

REGIONS = {
    "northeurope": "North Europe",
    "westeurope": "West Europe",
    "germanywestcentral": "Germany West Central",
    "uksouth": "UK South",
    "swedencentral": "Sweden Central",
    "francecentral": "France Central",
}

ERROR_HEADINGS = {
    401: "Your sign-in must be confirmed",
    400: "That could not be read",
    403: "You do not have access to do that",
    404: "There is no such page",
    409: "That is not possible now",
    422: "The rules do not allow that",
    502: "Something outside the portal failed",
    503: "Something outside the portal does not answer",
}

KINDS = {
    "checkbox": "On or off",
    "number": "A number",
    "list": "A list",
    "map": "Names with values",
    "object": "On or off, with details",
    "private_endpoint": "On or off, with details",
    "password": "A secret",
}

ACTIONS: dict[tuple[str, ...], tuple[str, str, str]] = {
    ("create",): ("plus", "ok", "Create"),
    ("update",): ("pencil", "warn", "Change"),
    ("delete",): ("minus", "bad", "Delete"),
}

PAST = {
    "submit": "Submitted",
    "approve": "Approved",
    "reject": "Rejected",
    "cancel": "Cancelled",
    "enqueue": "Sent to the queue",
    "start": "Started",
    "stop": "Asked to stop",
    "stopped": "Stopped",
    "succeed": "Done",
    "fail": "Failed",
    "retry": "Tried again",
    "expire": "Expired",
}
