"""From what people type to what the API knows."""

import re
import uuid
from typing import Any, Final

from cli.client import Client
from cli.errors import Refused

REF: Final = re.compile(r"(?:REQ-)?([0-9]{1,18})", re.IGNORECASE | re.ASCII)
MOST: Final = 1000


def request_path(ref: str) -> str:
    """REQ-12, req-12 and 12 are the same."""
    match = REF.fullmatch(ref.strip())
    if not match:
        fix = "Write it as REQ-12 or 12; `groundwork list` shows yours."
        raise Refused(f"“{ref}” is no request.", code="InvalidInput", fix=fix)
    return f"requests/{match[1]}/"


def deployment(client: Client, typed: str) -> dict[str, Any]:
    """By id, the beginning of an id, or name; a live one before those that are gone."""
    try:
        return client.get(f"deployments/{uuid.UUID(typed)}/")
    except ValueError:
        pass
    found = [each for each in client.pages("deployments/", MOST) if _is_called(each, typed)]
    live = [each for each in found if each["state"] not in ("destroyed", "abandoned")] or found
    if len(live) == 1:
        return client.get(f"deployments/{live[0]['id']}/")
    if not live:
        message, fix = f"You see no deployment “{typed}”.", "`groundwork deployments` shows what you may see."
        raise Refused(message, code="NotFound", fix=fix)
    problems = {
        each["id"]: f"{each['item']} in {each['environment']}, {each['business_unit']}" for each in live
    }
    fix = "Use its id, or the beginning of it."
    raise Refused(f"“{typed}” could be one of {len(live)}.", code="Ambiguous", problems=problems, fix=fix)


def _is_called(found: dict[str, Any], typed: str) -> bool:
    return found["name"] == typed or (len(typed) >= 4 and found["id"].startswith(typed.lower()))
