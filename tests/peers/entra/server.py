"""The tenant's process, for `make run-entra` and for tests."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from portal.processes import Member, answers, environment, free_port
from tests.peers.entra import tenant

SECONDS_TO_START = 30


class Tenant:
    def __init__(self, process: Member, url: str, password: str) -> None:
        self.process, self.url, self.password = process, url, password

    def control(self, action: str, /, **body: Any) -> Any:
        """See control.py."""
        answer = requests.post(f"{self.url}/_control/{action}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def endpoint(self, name: str) -> str:
        return f"{self.url}/{tenant.TENANT}/oauth2/v2.0/{name}"

    def settings(self) -> dict[str, str]:
        """For a portal that lets its people in."""
        return {
            "GROUNDWORK_ENTRA_TENANT_ID": tenant.TENANT,
            "GROUNDWORK_ENTRA_CLIENT_ID": tenant.PORTAL,
            "GROUNDWORK_ENTRA_CLIENT_SECRET": tenant.SECRETS[tenant.PORTAL],
            "GROUNDWORK_ENTRA_CLIENTS": f"{tenant.CLI},{tenant.PIPELINE}",
            "GROUNDWORK_ENTRA_AUTHORITY": self.url,
            "GROUNDWORK_ENTRA_GRAPH_URL": self.url,
        }


@contextmanager
def running_tenant(folder: Path, password: str, port: int = 0) -> Iterator[Tenant]:
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    variables = environment(data_dir=folder, port=port)
    variables |= {"ENTRA_FOLDER": str(folder), "ENTRA_URL": url, "ENTRA_PASSWORD": password}
    command = f"exec gunicorn tests.peers.entra.wsgi --bind 127.0.0.1:{port} --threads 8 --log-level warning"
    process = Member("entra", command, {**variables, "DJANGO_SETTINGS_MODULE": "tests.peers.entra.settings"})
    with (folder / "entra.log").open("wb", buffering=0) as log:
        process.relay(lambda _, line: log.write(line))
        try:
            _wait_for(process, url, folder / "entra.log")
            yield Tenant(process, url, password)
        finally:
            process.terminate()
            process.kill()


def _wait_for(process: Member, url: str, log: Path) -> None:
    until = time.monotonic() + SECONDS_TO_START
    while not answers(f"{url}/"):
        if not process.alive or time.monotonic() > until:
            raise RuntimeError(f"The test tenant did not start:\n{log.read_text()}")
        time.sleep(0.1)
