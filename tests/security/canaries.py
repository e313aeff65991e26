"""Secrets that are planted, in every spelling, and the places in which none of them may be found."""

import base64
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import quote

from django.db import connection
from django_q.models import OrmQ
from django_q.signing import SignedPackage

SHORT = 10  # a part of a short secret in another spelling is found everywhere


@dataclass
class Canaries:
    """Each is a secret with the way in which it came to the portal."""

    planted: list[tuple[str, str]] = field(default_factory=list)

    def plant(self, way: str) -> str:
        """A new one. It looks like a password that people choose, with signs that are written differently in JSON."""
        return self.keep(way, f'Kanari"{len(self.planted)}é/{token_hex(8)}')

    def plain(self, way: str) -> str:
        """One of letters, for where signs would be refused before anything else is looked at."""
        return self.keep(way, f"kanari{len(self.planted)}x{token_hex(8)}")

    def keep(self, way: str, secret: str) -> str:
        """One that the portal made itself."""
        self.planted.append((way, secret))
        return secret

    def found_in(self, text: str) -> list[str]:
        """The ways of those that are in the text, in whatever spelling."""
        return [way for way, secret in self.planted if any(each in text for each in spellings(secret))]


def spellings(secret: str) -> set[str]:
    raw = secret.encode()
    inside = {base64.b64encode(b"x" * shift + raw).decode()[4:-4] for shift in range(3)}
    written = {
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        quote(secret),
        quote(secret, safe=""),
        raw.hex(),
        *inside,
    }
    return {secret, *(each for each in written if len(each) > SHORT)}


def places(logged: str, said: str, folders: list[Path]) -> Iterator[tuple[str, str]]:
    """(name, all of its text): every table, the queue of background tasks unpacked, the log, the output, files."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            yield f"table {table}", "\n".join(_text(value) for row in cursor.fetchall() for value in row)
    for task in OrmQ.objects.all():
        yield "background tasks", repr(SignedPackage.loads(task.payload))
    yield "log", logged
    yield "output", said
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                yield str(path), path.read_bytes().decode(errors="replace")


def _text(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode(errors="replace")
    return value if isinstance(value, str) else repr(value)


class Everything(logging.Handler):
    """Keeps all that any logger says, as a file would have it: with tracebacks."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{self.format(record)} {record.args!r}")
