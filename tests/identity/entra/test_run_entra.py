"""`make run-entra`, as a person tries it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import requests

from portal.env import ROOT
from portal.processes import answers, free_port, running
from tests.identity.entra.conftest import form_token
from tests.journey.support import own_database, wait_until


def test_a_person_of_the_test_tenant_signs_in_and_ctrl_c_ends_it_all(tmp_path: Path) -> None:
    port, folder, printed = free_port(), tmp_path / "data", tmp_path / "printed"
    command = [sys.executable, "-m", "tests.peers.entra", "--port", str(port), "--folder", str(folder)]
    with own_database() as database, printed.open("w") as output:
        with subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **database}, stdout=output, stderr=output
        ) as child:
            try:
                wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz/ready/"), 120)
                signed_in = sign_in(f"http://127.0.0.1:{port}", printed.read_text(), "anna")
                os.kill(child.pid, signal.SIGTERM)
                child.wait(60)
            finally:
                child.kill()

        assert signed_in["name"].startswith("Anna")
        assert running(folder) == {}
        assert "Traceback" not in printed.read_text()


def sign_in(portal: str, told: str, name: str) -> dict[str, str]:
    """With the address and the password that were printed; who the portal takes the browser for."""
    address = re.search(r"The test tenant is at (\S+)/\n", told)
    password = re.search(r"The password of all its people: (\S+)\n", told)
    assert address, told
    assert password, told
    browser = requests.Session()
    page = browser.get(f"{address[1]}/accounts/login/", timeout=10)
    form = {"login": name, "password": password[1], "csrfmiddlewaretoken": form_token(page)}
    browser.post(page.url, form, timeout=10)
    assert browser.get(f"{portal}/oidc/authenticate/?next=/", timeout=30).url == f"{portal}/"
    me: dict[str, str] = browser.get(f"{portal}/api/v1/me/", timeout=10).json()
    return me
