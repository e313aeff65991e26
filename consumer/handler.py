import logging

from django.utils.timezone import now

from consumer import runs
from portal import ports
from portal.errors import OutsideError, Unavailable, VersionConflict
from portal.ports import Delivery, Liveness, RunDocument
from requests_app import services
from requests_app.models import ServiceRequest

GIVE_UP_AFTER = 5  # deliveries
PAUSE_SECONDS = 5

logger = logging.getLogger(__name__)


def handle(delivery: Delivery) -> None:
    """Start the run of the delivered request. Safe to repeat, and at any point to be killed."""
    service_request = services.start(delivery.run_key)
    if service_request:
        try:
            _dispatch(service_request)
        except VersionConflict:
            logger.info("%s was taken by its worker meanwhile", delivery.run_key)
        except Unavailable as error:
            if delivery.count < GIVE_UP_AFTER:
                logger.warning("%s will be tried again: %s", delivery.run_key, error)
                ports.queue().release(delivery, delay_seconds=PAUSE_SECONDS)
                return
            services.fail(service_request, f"The runner did not answer: {error}", changed=False)
        except OutsideError as error:
            services.fail(service_request, str(error), changed=False)
    ports.queue().complete(delivery)


def _dispatch(service_request: ServiceRequest) -> None:
    """Write the document, then look, then start: whatever is repeated finds what is there."""
    tracker, runner, key = ports.tracker(), ports.runner(), service_request.run_key
    token, digest = runs.new_token()
    run = RunDocument(key=key, token_digest=digest, created_at=now())
    if not tracker.create_run(run):
        found = tracker.get_run(key)
        if found is None or found.claimant or found.finished:
            return  # an earlier delivery came this far
        known = runner.find(key)
        if known and known.liveness is Liveness.ALIVE:
            return  # its worker is about to claim
        # Nobody has the old token any more. A worker that claims now makes this a VersionConflict.
        tracker.update_run(found, token_digest=digest)
    # Last, so that nothing can go wrong after the run exists.
    runner.dispatch(key, token)
