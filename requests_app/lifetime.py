"""The end of what was agreed to end: put off by people, brought about by the sweep."""

import logging
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from portal import audit
from portal.errors import PortalError, WrongState
from portal.identity.models import User
from requests_app import changing, services
from requests_app.models import Deployment
from requests_app.states import Kind

logger = logging.getLogger(__name__)


def extend(deployment: Deployment, *, actor: User, ttl_days: int | None = None) -> None:
    """Let it stay for so many days from today; see `changing.extension`.

    InvalidInput, NotAllowed, PolicyRefused, WrongState.
    """
    services.check_changeable(deployment, actor)
    if deployment.expires_at is None:
        raise WrongState(f"{deployment.name} has no end, so there is nothing to extend.")
    accepted = changing.extension(requester=actor, deployment=deployment, ttl_days=ttl_days).accept()
    assert accepted.ttl_days  # accepted
    with transaction.atomic():
        found = Deployment.objects.select_for_update().get(pk=deployment.pk)
        if removal := found.requests.open().filter(kind=Kind.DESTROY).first():
            raise WrongState(f"{removal.ref} removes {deployment.name}: cancel that first.")
        before, until = found.expires_at, now() + timedelta(days=accepted.ttl_days)
        Deployment.objects.filter(pk=found.pk).update(expires_at=until)
        audit.record(
            "deployment.extend",
            f"{deployment.name} ({deployment.item.slug})",
            actor=actor,
            business_unit=deployment.business_unit,
            note=f"Until {until:%-d %b %Y}",
            data={
                "deployment": str(deployment.pk),
                "from": before.isoformat() if before else "",
                "to": until.isoformat(),
            },
        )
    deployment.refresh_from_db(fields=["expires_at"])


def remove_expired() -> None:
    """Ask for the end of everything whose time is over. What failed is left to people: it is not asked again."""
    for deployment in Deployment.objects.expired(now()).with_names().order_by("expires_at"):
        try:
            _remove(deployment)
        except IntegrityError:
            logger.info("%s has an open request now", deployment)
        except PortalError as error:
            logger.warning("%s stays, though its time is over: %s", deployment, error)


def _remove(deployment: Deployment) -> None:
    accepted = changing.expiry(deployment).accept()
    with transaction.atomic():
        # Locked, so that nobody extends it meanwhile.
        locked = Deployment.objects.select_for_update().filter(pk=deployment.pk).first()
        if locked and locked.expires_at == deployment.expires_at:
            services.ask(accepted, deployment)
