"""What stands around a sign-in: headers, cookies, the deploy check, logs and reports without secrets."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.conf import settings as configured
from django.contrib.auth.decorators import login_not_required
from django.test import Client
from django.urls import path, resolve
from django.urls.exceptions import Resolver404
from django.utils.module_loading import import_string
from pydantic import ValidationError

from portal.env import ROOT, read
from portal.processes import Supervisor, environment, free_port
from tests.journey.support import own_database

PRODUCTION = dict(
    line.split("=", 1)
    for line in (ROOT / "tests/identity/production.env").read_text().splitlines()
    if not line.startswith("#")
)


def run(code_or_command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("GROUNDWORK_", "DJANGO_"))
    }
    return subprocess.run(
        [sys.executable, *code_or_command],
        cwd=ROOT,
        env={**inherited, **variables},
        capture_output=True,
        text=True,
    )


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_deploy_check_finds_nothing(tmp_path):
    done = run(
        ["manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        **{**PRODUCTION, "GROUNDWORK_DATA_DIR": str(tmp_path)},
    )

    assert done.returncode == 0, done.stderr


def test_without_a_tenant_nothing_of_entra_id_is_loaded(tmp_path):
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'portal.settings'; import django; django.setup(); "
        "import portal.urls, rest_framework.views; "
        "print([name for name in sys.modules if 'mozilla' in name or 'entra' in name or name.endswith('.oidc')])"
    )

    done = run(["-c", code], GROUNDWORK_DATA_DIR=str(tmp_path))

    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("address", ["/oidc/authenticate/", "/oidc/callback/", "/oidc/frontchannel-logout"])
def test_without_a_tenant_its_addresses_do_not_exist(address):
    assert not configured.ENTRA
    with pytest.raises(Resolver404):
        resolve(address)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"GROUNDWORK_ENTRA_CLIENT_ID": ""}, "belong together"),
        ({"GROUNDWORK_ENTRA_CLIENT_SECRET": ""}, "either ENTRA_CLIENT_SECRET or"),
        ({"GROUNDWORK_ENTRA_FEDERATED_TOKEN_FILE": "/f"}, "either ENTRA_CLIENT_SECRET or"),
        ({"GROUNDWORK_ENTRA_TENANT_ID": "common"}, "ENTRA_TENANT_ID"),
        ({"GROUNDWORK_ENTRA_AUTHORITY": "http://127.0.0.1"}, "ENTRA_AUTHORITY begins with https"),
        ({"GROUNDWORK_ENTRA_GRAPH_URL": "http://127.0.0.1"}, "ENTRA_GRAPH_URL begins with https"),
    ],
)
def test_a_tenant_is_configured_whole_or_not_at_all(changed, why):
    with pytest.raises(ValidationError, match=why):
        read({**PRODUCTION, **changed})


def test_a_setting_that_is_refused_is_not_shown():
    with pytest.raises(ValidationError) as refused:
        read({**PRODUCTION, "GROUNDWORK_ENTRA_CLIENT_ID": "", "GROUNDWORK_SECRET_KEY": "too-short-secret"})

    assert "too-short-secret" not in str(refused.value)
    assert "made-up" not in str(refused.value)


# ── a portal as outside of a laptop ─────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Its address and its log."""
    folder, port = tmp_path_factory.mktemp("production"), free_port()
    with own_database() as database, (folder / "web.log").open("w") as log:
        variables = {
            **PRODUCTION,
            "GROUNDWORK_DATABASE_URL": "",
            "GROUNDWORK_ALLOWED_HOSTS": "127.0.0.1",
            **database,
        }
        variables["DJANGO_SETTINGS_MODULE"] = "tests.identity.entra.settings"
        variables = {
            **environment(data_dir=folder, port=port),
            **variables,
            "GROUNDWORK_DATA_DIR": str(folder),
        }
        for step in (["migrate", "-v0"], ["createcachetable"]):
            subprocess.run([sys.executable, "manage.py", *step], cwd=ROOT, env=variables, check=True)
        variables["GROUNDWORK_PORTAL_URL"] = f"http://127.0.0.1:{port}"
        web = Supervisor(variables, log)
        try:
            web.start("web")
            web.wait_until_ready(60)
            yield variables["GROUNDWORK_PORTAL_URL"], folder / "web.log"
        finally:
            web.stop()


@pytest.fixture
def ask(production):
    def over_tls(path: str) -> requests.Response:
        """As the proxy hands it on."""
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
        return requests.get(production[0] + path, headers=headers, allow_redirects=False, timeout=10)

    return over_tls


HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; form-action 'self' https://login.microsoftonline.com; "
        "base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
        "microphone=(), midi=(), payment=(), usb=(), publickey-credentials-create=(self), "
        "publickey-credentials-get=(self)"
    ),
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@pytest.mark.parametrize("address", ["/accounts/login/", "/", "/api/v1/me/", "/nowhere/"])
def test_every_answer_has_the_strict_headers(ask, address):
    answer = ask(address)

    cached = {**HEADERS, "Cache-Control": answer.headers["Cache-Control"]} if "login" in address else HEADERS
    assert {name: answer.headers.get(name) for name in HEADERS} == cached
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["X-Request-Id"]


def test_cookies_are_for_this_host_over_tls_alone(ask):
    cookie = ask("/accounts/login/?local=1").headers["Set-Cookie"]

    assert cookie.startswith("__Host-groundwork_csrf=")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie
    sign_in = ask("/oidc/authenticate/")
    assert sign_in.headers["Set-Cookie"].startswith("__Host-groundwork_sid=")
    assert sign_in.headers["Location"].startswith("https://login.microsoftonline.com/11111111-")
    assert "redirect_uri=https%3A%2F%2F127.0.0.1" in sign_in.headers["Location"]


def test_without_tls_there_is_only_a_redirect_and_a_probe(production):
    page = requests.get(f"{production[0]}/accounts/login/?next=/", allow_redirects=False, timeout=10)

    assert page.status_code == 301
    assert page.headers["Location"].startswith("https://")
    assert requests.get(f"{production[0]}/healthz/", allow_redirects=False, timeout=10).status_code == 200


def test_the_access_log_names_paths_without_their_query(ask, production):
    ask("/oidc/callback/?code=a-code-of-entra&state=a-state")
    ask("/accounts/login/?next=/secret-next/")

    log = production[1].read_text()
    assert '"GET /oidc/callback/" 302' in log
    assert '"GET /accounts/login/" 200' in log
    for secret in ("a-code-of-entra", "a-state", "secret-next", "?"):
        assert secret not in log


# ── pages and reports of one's own process ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("address", ["/", "/requests/", "/accounts/sessions/", "/admin/", "/api/v1/me/"])
def test_what_a_signed_in_person_sees_is_kept_nowhere(address, people, catalog, client_for):
    answer = client_for(people.olga).get(address)

    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]


# In two parts, so that the lines of this file do not hold it: a report shows those.
PLANTED = "plan" + "ted"


@login_not_required
def broken(request, password=PLANTED):
    nonce = {"code_verifier": PLANTED}
    raise RuntimeError(f"{len(password)} {len(nonce)}")


urlpatterns = [path("oidc/callback/", broken)]
handler500 = "portal.views.server_error"


def test_a_report_of_an_error_shows_no_value(rf, settings):
    settings.SECRET_KEY = PLANTED
    headers = {"Authorization": f"Bearer {PLANTED}", "Cookie": f"groundwork_sid={PLANTED}"}
    request = rf.post(f"/oidc/callback/?code={PLANTED}", {"password": PLANTED}, headers=headers)
    reporter = import_string(settings.DEFAULT_EXCEPTION_REPORTER)

    try:
        broken(request)
    except RuntimeError:
        report = reporter(request, *sys.exc_info())
        texts = [report.get_traceback_text(), report.get_traceback_html()]

    for text in texts:
        assert PLANTED not in text
        assert "test_hardening.py" in text
        assert "/oidc/callback/" in text


def test_a_mistake_of_ours_is_logged_without_what_was_sent(settings, db, caplog):
    settings.ROOT_URLCONF = __name__
    client = Client(raise_request_exception=False)

    answer = client.get(f"/oidc/callback/?code={PLANTED}", headers={"Authorization": f"Bearer {PLANTED}"})

    assert answer.status_code == 500
    assert b"on our side" in answer.content
    assert "Internal Server Error: /oidc/callback/" in caplog.text
    assert PLANTED not in caplog.text + answer.content.decode()
