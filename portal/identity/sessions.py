"""Sessions in the database: encrypted, and each with the person, so that they can be listed and ended."""

import json
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from cryptography.fernet import InvalidToken, MultiFernet
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.timezone import now

from portal.identity.models import Session, User
from portal.keys import keyring

SIGN_IN = "sign_in"


class SessionStore(db.SessionStore):
    """The engine of SESSION_ENGINE. What begin() noted becomes columns."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row: Session = super().create_model_instance(data)  # type: ignore[assignment]
        noted = data.get(SIGN_IN, {})
        row.user_id = data.get(SESSION_KEY)
        row.started_at = parse_datetime(noted["at"]) if noted else None
        row.address, row.agent = noted.get("address"), noted.get("agent", "")
        row.entra_sid = noted.get("entra_sid", "")
        return row

    # A pending second factor and the proofs of a sign-in on its way are secrets: not for readers of the database.
    def encode(self, session_dict: dict[str, Any]) -> str:
        return _keys().encrypt(json.dumps(session_dict).encode()).decode()

    def decode(self, session_data: str | bytes) -> dict[str, Any]:
        try:
            return json.loads(_keys().decrypt(session_data))
        except InvalidToken:
            return {}


def begin(request: HttpRequest, *, entra_sid: str = "") -> None:
    """Note where a sign-in comes from. A renewal keeps the time of the first one."""
    request.session[SIGN_IN] = {
        "at": request.session.get(SIGN_IN, {}).get("at") or now().isoformat(),
        "address": address_of(request),
        "agent": request.headers.get("User-Agent", "")[:200],
        "entra_sid": entra_sid[:120],
    }


def address_of(request: Any) -> str:
    """Where a call comes from: what the last of our own proxies has seen."""
    return get_adapter().get_client_ip(request)


def active(user: User) -> QuerySet[Session]:
    return Session.objects.filter(user=user, expire_date__gt=now()).order_by("-started_at")


def end(request: HttpRequest, name: str = "") -> int:
    """One's own session of that public name; without a name, all but the one that asks. How many there were."""
    mine = active(request.user).exclude(session_key=request.session.session_key)  # type: ignore[arg-type]
    chosen = [each.pk for each in mine if not name or each.name == name]
    return Session.objects.filter(pk__in=chosen).delete()[0]


def forget_ended() -> None:
    """Rows of sessions that nobody can use any more."""
    SessionStore.clear_expired()


def sign_out_address(request: HttpRequest) -> str:
    """Where Entra ID ends its own session; it sends the browser back to the sign-in page."""
    params = {"post_logout_redirect_uri": request.build_absolute_uri(reverse("account_login"))}
    if hint := request.session.get("entra", {}).get("login_hint"):
        params["logout_hint"] = hint
    return f"{settings.ENTRA_LOGOUT_ENDPOINT}?{urlencode(params)}"


def _keys() -> MultiFernet:
    return keyring(settings.ACCOUNT_KEYS, "accounts")
