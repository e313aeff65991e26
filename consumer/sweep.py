"""Requests that are running by their state: looked up in the tracker and at the runner, and brought to the truth."""

from datetime import timedelta

from django.conf import settings
from django.utils.timezone import now

from consumer import runs
from portal import ports
from portal.ports import Liveness, Phase, RunDocument
from requests_app import services
from requests_app.models import ServiceRequest
from requests_app.states import ACTIVE, State


def reconcile() -> None:
    """End every run that has ended, and ask those to stop that shall."""
    running = ServiceRequest.objects.with_names().filter(state__in=ACTIVE)
    services.each(running.order_by("started_at"), _reconcile)


def _reconcile(service_request: ServiceRequest) -> None:
    run = ports.tracker().get_run(service_request.run_key)
    if run is None:
        _without_document(service_request)
    elif run.finished:
        runs.settle(run)
    elif _is_silent(run) and not _is_alive(run):
        runs.give_up(run, runs.LOST if run.claimant else runs.NOT_CLAIMED)
    elif service_request.state == State.STOPPING:
        services.ask_runner_to_stop(service_request)
    elif _older(service_request, settings.RUN_LIMIT):
        services.stop(service_request, actor=None, note="It takes longer than a run may take.")


def _without_document(service_request: ServiceRequest) -> None:
    """The consumer died before it wrote one. Its delivery comes back; if not, it ends here."""
    if _older(service_request, settings.CLAIM_WITHIN + settings.DELIVERY_LOCK):
        services.fail(service_request, runs.NOT_CLAIMED, changed=False)


def _is_silent(run: RunDocument) -> bool:
    if run.phase == Phase.CREATED:
        return now() - run.created_at > timedelta(seconds=settings.CLAIM_WITHIN)
    return now() - (run.heartbeat_at or run.created_at) > timedelta(seconds=settings.SILENT_AFTER)


def _is_alive(run: RunDocument) -> bool:
    found = ports.runner().find(run.key)
    return found is not None and found.liveness is Liveness.ALIVE


def _older(service_request: ServiceRequest, seconds: int) -> bool:
    started_at = service_request.started_at
    return started_at is not None and now() - started_at > timedelta(seconds=seconds)
