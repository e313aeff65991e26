"""Access tokens of Entra ID at the API: only for this API, from listed applications, with our scope."""

import time

import jwt
import pytest
import requests

from tests.identity.entra.conftest import Browser
from tests.peers.entra import faults, tenant

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
# What a broken ID token has and an access token has not.
ONLY_ID = {"wrong_nonce", "no_nonce"}


@pytest.fixture
def claims(entra):
    """Those of a token that the command line client got for Bert."""
    now = int(time.time())
    return {
        "iss": f"{entra.url}/{tenant.TENANT}/v2.0", "aud": tenant.PORTAL, "iat": now, "nbf": now, "exp": now + 3600,
        "sub": "s", "tid": tenant.TENANT, "oid": tenant.oid("bert"), "ver": "2.0", "azp": tenant.CLI,
        "scp": "Portal.Access", "name": "Bert Nyman", "groups": list(tenant.PEOPLE["bert"].groups),
    }  # fmt: skip


@pytest.fixture
def call(portal, entra, claims):
    """Call the API with these claims changed; None leaves one out."""

    def with_token(path: str = "me/", *, fault: str | None = None, method: str = "GET", **changed):
        said = {name: value for name, value in {**claims, **changed}.items() if value is not None}
        return portal.api(entra.control("sign", claims=said, fault=fault)["token"], path, method)

    return with_token


@pytest.mark.parametrize("audience", [tenant.PORTAL, f"api://{tenant.PORTAL}"])
def test_a_token_for_this_api_is_accepted(call, audience):
    answer = call(aud=audience)

    assert answer.status_code == 200
    assert answer.json()["username"] == f"entra:{tenant.oid('bert')}"


@pytest.mark.parametrize("fault", [fault for fault in faults.ALL if fault not in ONLY_ID])
def test_a_broken_token_is_refused(call, fault):
    answer = call(fault=fault)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"aud": "00000003-0000-0000-c000-000000000000"}, "Audience"),
        ({"azp": tenant.OTHER}, "not on the list"),
        ({"azp": None}, "not on the list"),
        ({"scp": "Other.Scope"}, "Portal.Access"),
        ({"scp": "Portal.Access.Not"}, "Portal.Access"),
        ({"nonce": "n"}, "ID token"),
        ({"acct": 1}, "guests"),
        ({"scp": None}, "service account"),
        ({"idtyp": "app"}, "service account"),
        ({"oid": tenant.STRANGER_OID, "groups": None}, "mapped"),
    ],
)
def test_a_token_that_is_not_for_this_is_refused_with_the_reason(call, changed, why):
    answer = call(**changed)

    assert answer.status_code == 401
    assert why in answer.json()["message"]


def test_tokens_of_another_application_of_the_tenant_open_nothing(portal, entra):
    browser = Browser(portal, entra)
    browser.sign_in_at_entra("anna")
    asked = {
        "response_type": "code", "client_id": tenant.OTHER, "redirect_uri": "http://127.0.0.1:9/callback",
        "scope": "openid email profile", "state": "x", "nonce": "n",
    }  # fmt: skip
    to_application = browser.http.get(
        entra.endpoint("authorize"), params=asked, allow_redirects=False, timeout=10
    )
    code = to_application.headers["Location"].partition("code=")[2].partition("&")[0]
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": asked["redirect_uri"],
        "client_id": tenant.OTHER, "client_secret": tenant.SECRETS[tenant.OTHER],
    }  # fmt: skip
    tokens = requests.post(entra.endpoint("token"), form, timeout=10).json()

    assert [portal.api(tokens[kind]).status_code for kind in ("access_token", "id_token")] == [401, 401]


def test_a_device_signs_in_with_a_code(portal, entra):
    start = requests.post(
        entra.endpoint("devicecode"),
        {"client_id": tenant.CLI, "scope": f"openid profile {tenant.SCOPE}"},
        timeout=10,
    ).json()
    poll = {"grant_type": DEVICE_CODE, "client_id": tenant.CLI, "device_code": start["device_code"]}

    pending = requests.post(entra.endpoint("token"), poll, timeout=10)
    browser = Browser(portal, entra)
    browser.sign_in_at_entra("bert")
    browser.http.get(start["verification_uri_complete"], timeout=10)
    browser.http.post(start["verification_uri_complete"], {"action": "confirm"}, timeout=10)
    time.sleep(start["interval"] + 0.1)
    token = requests.post(entra.endpoint("token"), poll, timeout=10).json()["access_token"]

    assert (pending.status_code, pending.json()["error"]) == (400, "authorization_pending")
    said = jwt.decode(token, options={"verify_signature": False})
    assert (said["aud"], said["azp"], said["scp"]) == (tenant.PORTAL, tenant.CLI, "Portal.Access")
    units = portal.api(token).json()["business_units"]
    assert [unit["slug"] for unit in units] == ["data", "payments", "retail"]


def test_a_service_principal_may_do_what_its_app_roles_say(portal, entra):
    form = {
        "grant_type": "client_credentials", "client_id": tenant.PIPELINE, "scope": "api",
        "client_secret": tenant.SECRETS[tenant.PIPELINE],
    }  # fmt: skip
    token = requests.post(entra.endpoint("token"), form, timeout=10).json()["access_token"]
    assert portal.api(token).status_code == 401  # not registered yet

    portal.shell(
        "User.objects.create(username='pipeline', auth_source='service', "
        f"entra_tid='{tenant.TENANT}', entra_oid='{tenant.PIPELINE_OID}')"
    )

    assert portal.api(token).json()["username"] == "pipeline"
    assert portal.api(token, "requests/").status_code == 200
    assert portal.api(token, "requests/", "POST").status_code == 403  # requests:write is not among its roles


def test_an_older_token_does_not_undo_what_a_newer_sign_in_said(portal, entra, call):
    browser = Browser(portal, entra)
    entra.control("person", name="bert", groups=[tenant.group("data", "approver")])
    browser.sign_in("bert")

    answer = call(iat=int(time.time()) - 60)  # it still says three units

    assert [unit["slug"] for unit in answer.json()["business_units"]] == ["data"]


def test_a_newer_token_counts_at_once(call):
    call(groups=[tenant.group("data", "approver")])

    answer = call(iat=int(time.time()) + 2, groups=[tenant.group("retail", "approver")])

    assert [unit["slug"] for unit in answer.json()["business_units"]] == ["retail"]


def test_a_closed_account_is_refused(portal, call):
    who = f"User.objects.filter(entra_oid='{tenant.oid('bert')}')"
    call()

    portal.shell(f"{who}.update(is_active=False)")
    answer = call()
    portal.shell(f"{who}.update(is_active=True)")

    assert answer.status_code == 401
    assert "closed" in answer.json()["message"]


def test_calls_ask_nobody(call, entra):
    call()
    before = entra.control("asked")["times"]

    assert {call().status_code for _ in range(10)} == {200}

    assert entra.control("asked")["times"] == before
