"""Run documents and log entries in two tables, with the version check of the real store."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from portal.adapters.embedded.errors import database
from portal.errors import VersionConflict
from portal.models import TrackedEntry, TrackedRun
from portal.ports import Entry, RunDocument

DOCUMENT = TypeAdapter(RunDocument)


class DatabaseTracker:
    @database
    def create_run(self, run: RunDocument) -> bool:
        _, is_new = TrackedRun.objects.get_or_create(key=run.key, defaults={"document": _json(run)})
        return is_new

    @database
    def get_run(self, key: str) -> RunDocument | None:
        row = TrackedRun.objects.filter(key=key).first()
        return DOCUMENT.validate_python({**row.document, "version": str(row.version)}) if row else None

    @database
    def update_run(self, run: RunDocument, **changes: Any) -> RunDocument:
        changed = replace(run, **changes)
        read, written = int(run.version), int(run.version) + 1
        stored = TrackedRun.objects.filter(key=run.key, version=read)
        if not stored.update(document=_json(changed), version=written):
            raise VersionConflict(f"Run {run.key} was changed by somebody else: read it again.")
        return replace(changed, version=str(written))

    @database
    def append(self, key: str, entries: Sequence[Entry]) -> None:
        rows = [
            TrackedEntry(run_key=key, sequence=e.sequence, at=e.at, phase=e.phase, level=e.level, text=e.text)
            for e in entries
        ]
        TrackedEntry.objects.bulk_create(rows, ignore_conflicts=True)

    @database
    def entries(self, key: str, *, after: int = 0, limit: int = 500) -> Sequence[Entry]:
        rows = TrackedEntry.objects.filter(run_key=key, sequence__gt=after).order_by("sequence")[:limit]
        return [Entry(row.sequence, row.at, row.phase, row.level, row.text) for row in rows]


def _json(run: RunDocument) -> Any:
    return DOCUMENT.dump_python(run, mode="json", exclude={"version"})
