"""A portal with sign-in by the test tenant: `make run-entra`. Both run until Ctrl-C."""

import argparse
import secrets
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from portal.env import ROOT
from portal.processes import environment
from tests.peers.entra import tenant
from tests.peers.entra.server import Tenant, running_tenant

FOLDER = ROOT / "var" / "entra"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make run-entra")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="Where the portal keeps its data.")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_tenant(Path(folder), secrets.token_urlsafe(9)) as entra,
    ):
        variables = environment(data_dir=given.folder, port=given.port, **entra.settings())
        entra.control("portal", url=variables["GROUNDWORK_PORTAL_URL"])
        for step, told in (("prepare", ""), ("seed_demo", ""), ("map_entra - -v0", tenant.mappings())):
            manage = [sys.executable, "manage.py", *step.split()]
            subprocess.run(manage, cwd=ROOT, env=variables, input=told, text=True, check=True)
        print_people(entra)
        return run_portal([sys.executable, "manage.py", "run", "--port", str(given.port)], variables)


def print_people(entra: Tenant) -> None:
    lines = [f"  {name:7}{account.does}" for name, account in tenant.PEOPLE.items()]
    head = f"\nThe test tenant is at {entra.url}/\nThe password of all its people: {entra.password}\n\n"
    sys.stdout.write(head + "\n".join(lines) + "\n\n")
    sys.stdout.flush()


def run_portal(command: list[str], variables: dict[str, str]) -> int:
    """Until it ends. Ctrl-C reaches it by itself; other signals are handed on."""
    with subprocess.Popen(command, cwd=ROOT, env=variables) as portal:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda received, frame: portal.send_signal(received))
        return portal.wait()


sys.exit(main())
