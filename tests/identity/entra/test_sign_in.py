"""Sign-in with Entra ID, from the button to the page, and everything that must not get in."""

import re
import time

import pytest
import requests

from portal.processes import free_port
from tests.identity.entra.conftest import Browser, form_token, running
from tests.peers.entra import faults, tenant


def keys_asked(entra) -> int:
    return entra.control("asked")["times"].get("/discovery/v2.0/keys", 0)


# ── who gets in, and as what ────────────────────────────────────────────────────────────────────────────────


def test_the_sign_in_page_serves_both_kinds_of_account(visitor):
    page = visitor.get("/accounts/login/?next=/requests/").text
    local = visitor.get("/accounts/login/?local=1").text

    assert 'href="/oidc/authenticate/?next=%2Frequests%2F"' in page
    assert 'name="password"' not in page
    assert 'name="password"' in local
    assert "Sign in with Entra ID" in local


def test_roles_come_from_groups_and_app_roles(visitor, another):
    visitor.sign_in("bert")
    another.sign_in("olga")

    assert visitor.me["name"] == "Bert Nyman"
    assert visitor.roles == {"data": ["approver"], "payments": ["approver"], "retail": ["approver"]}
    assert another.me["is_operator"]
    assert another.roles == {}


def test_a_sign_in_goes_on_to_the_page_that_was_asked_for(visitor):
    answer = visitor.sign_in("anna", following="/requests/")

    assert visitor.where(answer) == "/requests/"


@pytest.mark.parametrize(
    "elsewhere", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"]
)
def test_a_sign_in_goes_on_to_no_other_site(visitor, elsewhere):
    assert visitor.where(visitor.sign_in("anna", following=elsewhere)) == "/"


def test_two_tabs_each_come_back_to_their_own_page(visitor):
    visitor.sign_in_at_entra("anna")
    to_entra = [
        visitor.get(f"/oidc/authenticate/?next={path}", follow=False).headers["Location"]
        for path in ("/requests/", "/resources/")
    ]

    assert [visitor.where(visitor.http.get(address)) for address in to_entra] == ["/requests/", "/resources/"]


def test_what_entra_id_gave_is_in_the_audit_trail(visitor, portal):
    visitor.sign_in("emil")

    said = portal.shell(
        "[print(e.actor_label, e.action, e.business_unit.slug, e.data) for e in "
        "Event.objects.filter(action__startswith='identity.', subject='Emil Roth')]"
    )
    assert (
        said
        == f"Groundwork identity.grant payments {{'role': 'bu_admin', 'user': 'entra:{tenant.oid('emil')}'}}"
    )


def test_an_app_role_can_let_somebody_in_who_has_no_role(visitor):
    visitor.sign_in("vera")

    assert (visitor.roles, visitor.me["is_operator"]) == ({}, False)


def test_what_a_group_gives_is_edited_in_the_admin(visitor, another):
    another.sign_in_locally("olga")
    page = "/admin/identity/entramapping/add/"
    group = tenant.group("unmapped", "viewer")
    mistaken = another.post(page, group_oid=group, app_role="Portal.User")
    assert "not both" in mistaken.text

    added = another.post(page, group_oid=group, grants_staff="on")
    visitor.sign_in("nils")
    operator = visitor.me["is_operator"]
    mapping = another.get("/admin/identity/entramapping/?q=" + group).text
    number = re.search(r"/admin/identity/entramapping/(\d+)/change/", mapping).group(1)
    another.post(f"/admin/identity/entramapping/{number}/delete/", post="yes")

    assert added.status_code == 302
    assert operator
    visitor.sign_in("nils")
    assert visitor.me is None


def test_operators_of_entra_id_look_at_mappings_and_do_not_change_them(visitor):
    visitor.sign_in("olga")

    assert visitor.get("/admin/identity/entramapping/").status_code == 200
    assert (
        visitor.post("/admin/identity/entramapping/add/", app_role="X", grants_staff="on").status_code == 403
    )


@pytest.mark.parametrize(("name", "reason"), [("nils", "no-role"), ("hugo", "failed")])
def test_who_is_not_mapped_and_who_is_a_guest_stays_outside(visitor, name, reason):
    answer = visitor.sign_in(name)

    assert visitor.where(answer).startswith(f"/accounts/login/?sso={reason}")
    assert "Choose another account" in answer.text
    assert visitor.me is None


def test_more_groups_than_a_token_holds_are_looked_up_at_graph(visitor):
    visitor.sign_in("gina")

    assert visitor.roles == {"payments": ["approver"], "retail": ["requester"]}


def test_many_mapped_groups_are_asked_about_twenty_at_a_time(visitor, portal, entra):
    rows = "[EntraMapping(group_oid=f'00000000-0000-4000-8000-{n:012}') for n in range(40)]"
    portal.shell(f"EntraMapping.objects.bulk_create({rows})")
    before = entra.control("asked")["times"]

    visitor.sign_in("gina")

    portal.shell("EntraMapping.objects.filter(business_unit=None, app_role='').delete()")
    path = f"/v1.0/users/{tenant.oid('gina')}/checkMemberGroups"
    assert entra.control("asked")["times"][path] - before.get(path, 0) == 3
    assert visitor.roles == {"payments": ["approver"], "retail": ["requester"]}


def test_the_token_for_graph_is_kept_encrypted(visitor, portal):
    visitor.sign_in("gina")

    kept = portal.shell("from django.core.cache import cache; print(cache.get('entra:graph')[:5])")
    assert kept == "b'gAAAA'"


# ── what is sent, and what is refused ───────────────────────────────────────────────────────────────────────


def test_entra_id_is_asked_with_state_nonce_and_pkce(visitor, entra):
    visitor.sign_in("anna")

    query = entra.control("asked")["queries"]["/oauth2/v2.0/authorize"]
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    assert min(len(query["state"]), len(query["nonce"])) >= 32
    assert query["scope"] == "openid profile email"
    assert "prompt" not in query


@pytest.mark.parametrize("fault", [*faults.ALL, "no_id_token"])
def test_a_broken_id_token_lets_nobody_in(visitor, fault):
    answer = visitor.sign_in("anna", following="/requests/", fault=fault)

    assert visitor.where(answer) == "/accounts/login/?sso=failed&next=%2Frequests%2F"
    assert "did not work" in answer.text
    assert visitor.me is None


def test_graphs_userinfo_is_never_asked(visitor, entra):
    visitor.sign_in("anna")

    assert "/oidc/userinfo" not in entra.control("asked")["times"]


@pytest.mark.parametrize(
    "query", ["?error=access_denied", "?error=x&state=y", "?code=a&state=b", "?code=a", ""]
)
def test_a_forged_or_stale_callback_does_nothing(visitor, another, query):
    visitor.sign_in("anna")

    signed_in = visitor.get(f"/oidc/callback/{query}", follow=False)
    signed_out = another.get(f"/oidc/callback/{query}", follow=False)

    assert signed_in.headers["Location"] == "/"
    assert visitor.me is not None
    assert signed_out.headers["Location"] == "/accounts/login/"
    assert another.me is None


def test_a_callback_is_good_once_and_in_one_browser(visitor, another):
    callback = visitor.sign_in("anna").history[-1].url

    again = requests.get(callback, allow_redirects=False, timeout=10)
    foreign = another.http.get(callback, allow_redirects=False, timeout=10)

    assert again.headers["Location"] == foreign.headers["Location"] == "/accounts/login/"
    assert another.me is None


def test_the_address_of_a_local_administrator_opens_nothing_of_theirs(visitor, entra, portal):
    portal.shell("User.objects.filter(username='olga').update(email='olga@portal.example')")
    entra.control("person", name="carol", email="OLGA@portal.example")

    visitor.sign_in("carol")

    assert visitor.me["username"] == f"entra:{tenant.oid('carol')}"
    assert not visitor.me["is_operator"]


def test_a_closed_account_is_out_at_once_and_stays_out(visitor, another, portal):
    visitor.sign_in("dora")
    who = f"User.objects.filter(entra_oid='{tenant.oid('dora')}')"

    portal.shell(f"{who}.update(is_active=False)")

    assert visitor.me is None
    assert another.where(another.sign_in("dora")).startswith("/accounts/login/?sso=failed")
    portal.shell(f"{who}.update(is_active=True)")


# ── the two kinds of account keep apart ─────────────────────────────────────────────────────────────────────


def test_an_entra_account_cannot_make_itself_a_password_or_a_second_factor(visitor):
    visitor.sign_in("anna")

    paths = ["password/", "reauthenticate/", "2fa/", "2fa/app/", "2fa/codes/", "2fa/passkeys/add/"]
    assert [visitor.get(f"/accounts/{path}").status_code for path in paths] == [403] * 6
    assert "managed in Entra ID" in visitor.get("/accounts/password/").text
    gone = ["password/set/", "password/reset/", "password/change/", "email/", "login/code/", "confirm-email/"]
    assert [visitor.get(f"/accounts/{path}").status_code for path in gone] == [404] * 6
    assert visitor.get("/accounts/sessions/").status_code == 200


def test_a_password_does_not_open_an_entra_account(visitor, another, portal):
    visitor.sign_in("anna")
    name = visitor.me["username"]
    portal.shell(f"u = User.objects.get(username='{name}'); u.set_password('known-to-somebody'); u.save()")

    page = another.get("/accounts/login/?local=1")
    form = {"login": name, "password": "known-to-somebody", "csrfmiddlewaretoken": form_token(page)}
    answer = another.http.post(page.url, form, timeout=10)

    assert answer.status_code == 403
    assert "signs in with Entra ID" in answer.text
    assert another.me is None


# ── the end of a session ────────────────────────────────────────────────────────────────────────────────────


def test_signing_out_goes_on_to_entra_id_and_back(visitor, portal):
    visitor.sign_in("anna")

    to_entra = visitor.post("/accounts/logout/")
    there = visitor.http.get(to_entra.headers["Location"], timeout=10)

    assert "/oauth2/v2.0/logout?" in to_entra.headers["Location"]
    assert "logout_hint=O.hint-of-anna" in to_entra.headers["Location"]
    assert f'url={portal.url}/accounts/login/"' in there.text  # the address is registered
    assert visitor.me is None


def test_a_link_signs_nobody_out(visitor):
    visitor.sign_in("anna")

    visitor.get("/accounts/logout/")

    assert visitor.me is not None


def test_signing_out_elsewhere_ends_the_session_here(visitor, another, entra):
    visitor.sign_in("anna")
    another.sign_in("bert")
    there = visitor.http.get(entra.endpoint("logout"), timeout=10)
    frame = re.search(rf'src="({visitor.portal.url}/oidc/frontchannel-logout[^"]+)"', there.text)

    answer = requests.get(frame.group(1).replace("&amp;", "&"), timeout=10)  # as in a frame: without cookies

    assert answer.status_code == 200
    assert "X-Frame-Options" not in answer.headers
    assert answer.headers["Content-Security-Policy"] == f"default-src 'none'; frame-ancestors {entra.url}"
    assert visitor.me is None
    assert another.me is not None


@pytest.mark.parametrize("query", ["", "?sid=", "?sid=x", "?iss=x&sid={sid}", "?sid={sid}"])
def test_a_sign_out_that_is_not_entra_ids_ends_nothing(visitor, portal, query):
    visitor.sign_in("anna")
    sid = portal.shell("print(Session.objects.exclude(entra_sid='').latest('started_at').entra_sid)")

    answer = requests.get(f"{portal.url}/oidc/frontchannel-logout{query.format(sid=sid)}", timeout=10)

    assert answer.status_code == 200
    assert visitor.me is not None


def test_sessions_are_listed_and_ended(visitor, another):
    visitor.sign_in("anna")
    another.http.headers["User-Agent"] = "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0"
    another.sign_in("anna")

    page = visitor.get("/accounts/sessions/").text
    visitor.post("/accounts/sessions/end/")

    assert "Firefox on Windows" in page
    assert visitor.me is not None
    assert another.me is None


# ── keys that change, and a tenant that does not answer ─────────────────────────────────────────────────────


def test_a_new_signing_key_costs_one_question_and_known_ones_none(visitor, another, entra):
    visitor.sign_in("anna")
    time.sleep(1.1)  # ENTRA_KEYS_EVERY
    before = keys_asked(entra)

    another.sign_in("bert")
    assert keys_asked(entra) == before
    entra.control("rotate")
    visitor.sign_in("anna")
    another.sign_in("bert")

    assert keys_asked(entra) == before + 1
    assert visitor.me is not None


def test_forged_keys_cause_no_flood(portal, entra):
    before, began = keys_asked(entra), time.monotonic()

    for _ in range(5):
        Browser(portal, entra).sign_in("anna", fault="unknown_kid")

    assert keys_asked(entra) - before <= 2 + (time.monotonic() - began)


def test_a_tenant_that_does_not_answer_is_said_and_signs_nobody_out(visitor, another, entra):
    visitor.sign_in("anna")
    another.sign_in_at_entra("bert")
    to_entra = another.get("/oidc/authenticate/", follow=False).headers["Location"]
    callback = another.http.get(to_entra, allow_redirects=False, timeout=10).headers["Location"]

    entra.control("outage", down=True)
    answer = another.http.get(callback, timeout=10)

    assert answer.status_code == 503
    assert "Try again in a minute" in answer.text
    assert another.me is None
    assert visitor.me is not None


def test_without_graph_nobody_gets_in_on_a_guess(visitor, entra, portal):
    visitor.sign_in_at_entra("gina")
    to_entra = visitor.get("/oidc/authenticate/", follow=False).headers["Location"]
    callback = visitor.http.get(to_entra, allow_redirects=False, timeout=10).headers["Location"]
    entra.control("outage", down=True, only="/v1.0/")

    answer = visitor.http.get(callback, timeout=10)

    assert answer.status_code == 503
    assert visitor.me is None


# ── nothing leaks ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_log_holds_no_code_state_token_or_secret(visitor, entra, portal):
    answer = visitor.sign_in("anna")
    visitor.sign_in("anna", fault="bad_signature")

    log = portal.log.read_text()
    callback = answer.history[-1].url
    code, state = (re.search(rf"{name}=([^&]+)", callback).group(1) for name in ("code", "state"))
    for secret in (code, state, "eyJ", *tenant.SECRETS.values(), "code=", "nonce="):
        assert secret not in log
    assert "Entra ID sign-in refused: Signature verification failed" in log


def test_a_token_of_the_cluster_replaces_the_secret(prepared, tenant_process, entra, tmp_path):
    (tmp_path / "token").write_text(f"{tenant.FEDERATED_TOKEN}\n")
    port = free_port()
    variables = {**prepared, "PORT": str(port), "GROUNDWORK_PORTAL_URL": f"http://127.0.0.1:{port}"}
    del variables["GROUNDWORK_ENTRA_CLIENT_SECRET"]
    variables["GROUNDWORK_ENTRA_FEDERATED_TOKEN_FILE"] = str(tmp_path / "token")

    with running(variables, tenant_process) as portal:
        visitor = Browser(portal, entra)
        visitor.sign_in("gina")

        assert visitor.roles == {"payments": ["approver"], "retail": ["requester"]}
