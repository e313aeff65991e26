"""A portal that is a process, a tenant that is another one, and people with browsers between them. All over HTTP."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from portal.processes import Supervisor, environment, free_port
from tests.journey.support import manage, own_database
from tests.peers.entra import tenant
from tests.peers.entra.server import Tenant, running_tenant

PASSWORD = "one-password-of-the-tenant"
LOCAL_PASSWORD = "a-long-password-of-the-portal"
MADE_WITH = (
    "from django.core.management import call_command as call; import io, sys; "
    "call('migrate', verbosity=0); call('createcachetable'); "
    "sys.stdin = io.StringIO({password!r}); call('seed_demo', password_stdin=True, verbosity=0); "
    "sys.stdin = io.StringIO({mappings!r}); call('map_entra', '-')"
)


class Portal:
    """The web process of a portal whose people come from the tenant."""

    def __init__(self, variables: dict[str, str], log: Path) -> None:
        self.variables, self.log = variables, log
        self.url = variables["GROUNDWORK_PORTAL_URL"]

    def shell(self, code: str) -> str:
        imports = "from portal.identity.models import *; from portal.models import Event; "
        return manage(self.variables, "shell", "-v0", "-c", imports + code)

    def api(self, token: str, path: str = "me/", method: str = "GET") -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.request(method, f"{self.url}/api/v1/{path}", headers=headers, json={}, timeout=10)


class Browser:
    """Somebody's, with cookies for the portal and for the tenant."""

    def __init__(self, portal: Portal, entra: Tenant) -> None:
        self.portal, self.entra = portal, entra
        self.http = requests.Session()
        self.form = ""  # a CSRF token of an open page, where a test keeps one

    def sign_in_at_entra(self, name: str) -> None:
        page = self.http.get(f"{self.entra.url}/accounts/login/", timeout=10)
        if page.history:
            return  # the browser is signed in there already
        form = {"login": name, "password": PASSWORD, "csrfmiddlewaretoken": form_token(page)}
        answer = self.http.post(page.url, form, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text

    def sign_in(self, name: str, *, following: str = "/", fault: str | None = None) -> requests.Response:
        """The whole way, to the page that the browser ends at."""
        self.sign_in_at_entra(name)
        if fault:
            self.entra.control("fault", name=fault)
        return self.get(f"/oidc/authenticate/?next={following}")

    def sign_in_locally(self, name: str) -> None:
        page = self.get("/accounts/login/?local=1")
        form = {"login": name, "password": LOCAL_PASSWORD, "csrfmiddlewaretoken": form_token(page)}
        assert self.http.post(page.url, form, allow_redirects=False, timeout=10).status_code == 302

    def get(self, path: str, *, follow: bool = True, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.get(self.portal.url + path, headers=named, allow_redirects=follow, timeout=15)

    def post(self, path: str, *, token: str = "", follow: bool = False, **form: Any) -> requests.Response:
        headers = form.pop("headers", {})
        form["csrfmiddlewaretoken"] = token or form_token(self.get("/accounts/sessions/"))
        return self.http.post(
            self.portal.url + path, form, headers=headers, allow_redirects=follow, timeout=15
        )

    def where(self, answer: requests.Response) -> str:
        """The path in the portal that it came from."""
        return answer.url.removeprefix(self.portal.url)

    @property
    def me(self) -> dict[str, Any] | None:
        """Who the portal takes this browser for."""
        answer = self.get("/api/v1/me/", follow=False)
        return answer.json() if answer.status_code == 200 else None

    @property
    def roles(self) -> dict[str, list[str]]:
        assert self.me is not None
        return {unit["slug"]: unit["roles"] for unit in self.me["business_units"]}


def form_token(page: requests.Response) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert found, page.text
    return found.group(1)


@pytest.fixture(scope="session")
def tenant_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    with running_tenant(tmp_path_factory.mktemp("tenant"), PASSWORD) as running:
        yield running


@pytest.fixture
def entra(tenant_process: Tenant) -> Tenant:
    tenant_process.control("reset")
    return tenant_process


@pytest.fixture(scope="session")
def prepared(tenant_process: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables of a portal with a filled database."""
    folder = tmp_path_factory.mktemp("portal")
    with own_database() as database:
        variables = environment(
            data_dir=folder,
            port=free_port(),
            DJANGO_SETTINGS_MODULE="tests.identity.entra.settings",
            GROUNDWORK_ENTRA_KEYS_EVERY="1",
            **tenant_process.settings(),
            **database,
        )
        code = MADE_WITH.format(password=LOCAL_PASSWORD, mappings=tenant.mappings())
        manage(variables, "shell", "-v0", "-c", code)
        yield variables


@contextmanager
def running(variables: dict[str, str], tenant_process: Tenant) -> Iterator[Portal]:
    log = Path(variables["GROUNDWORK_DATA_DIR"]) / f"web-{variables['PORT']}.log"
    with log.open("w") as output:
        web = Supervisor(variables, output)
        try:
            web.start("web")
            web.wait_until_ready(60)
            tenant_process.control("portal", url=variables["GROUNDWORK_PORTAL_URL"])
            yield Portal(variables, log)
        except Exception:
            sys.stderr.write(log.read_text())
            raise
        finally:
            web.stop()


@pytest.fixture(scope="session")
def portal(prepared: dict[str, str], tenant_process: Tenant) -> Iterator[Portal]:
    with running(prepared, tenant_process) as started:
        yield started


@pytest.fixture(scope="session")
def impatient(prepared: dict[str, str], tenant_process: Tenant) -> Iterator[Portal]:
    """Another web process of the same portal: it renews after 1 second, with 2 seconds of grace."""
    port = free_port()
    variables = {**prepared, "PORT": str(port), "GROUNDWORK_PORTAL_URL": f"http://127.0.0.1:{port}"}
    variables |= {"GROUNDWORK_ENTRA_RENEW_AFTER": "1", "GROUNDWORK_ENTRA_RENEW_GRACE": "2"}
    with running(variables, tenant_process) as started:
        yield started


@pytest.fixture
def visitor(portal: Portal, entra: Tenant) -> Browser:
    return Browser(portal, entra)


@pytest.fixture
def another(portal: Portal, entra: Tenant) -> Browser:
    return Browser(portal, entra)
