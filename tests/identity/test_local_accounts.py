"""Accounts with a password of the portal's own: second factors, one-time passwords, limits, sessions."""

import re
import time
from html import unescape

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings as configured
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils.timezone import now

from portal.errors import NotAllowed
from portal.identity import sessions
from portal.identity.local import LocalAccountAdapter
from portal.identity.models import Session, User
from portal.models import Event

LOGIN, SECOND_FACTOR, APP = "/accounts/login/", "/accounts/2fa/", "/accounts/2fa/app/"
ENTRA_IDS = {
    "auth_source": User.Source.ENTRA,
    "entra_tid": "11111111-1111-4111-8111-111111111111",
    "entra_oid": "22222222-2222-4222-8222-222222222222",
}


@pytest.fixture(autouse=True)
def no_limits_from_other_tests() -> None:
    cache.clear()


@pytest.fixture
def forced(settings) -> None:
    """As outside of a laptop."""
    settings.SECOND_FACTOR = True


def sign_in(name: str, password: str, *, agent: str = "", client: Client | None = None) -> Client:
    client = client or Client(headers={"User-Agent": agent})
    client.answer = client.post(LOGIN, {"login": name, "password": password})
    return client


def code_of(secret: str, steps: int = 0) -> str:
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + steps))


def set_up_app(client: Client, password: str) -> str:
    """Its secret."""
    client.post("/accounts/reauthenticate/", {"password": password})
    secret = re.search(r'id="secret" value="([A-Z2-7]{32})"', client.get(APP).content.decode()).group(1)
    client.answer = client.post(APP, {"code": code_of(secret)})
    assert client.answer["Location"] == "/accounts/2fa/codes/"
    return secret


def codes_on(client: Client) -> list[str]:
    return re.findall(r"<li><code>(\w+)</code></li>", client.get("/accounts/2fa/codes/").content.decode())


# ── the second factor ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/", "/admin/", "/requests/", "/accounts/sessions/"])
def test_an_operator_sets_up_a_second_factor_before_anything_else(forced, people, path):
    olga = sign_in("olga", people.password)

    assert olga.get(path)["Location"] == SECOND_FACTOR
    assert olga.get(SECOND_FACTOR).status_code == 200


def test_the_api_says_that_a_second_factor_is_missing(forced, people):
    answer = sign_in("olga", people.password).get("/api/v1/me/")

    assert (answer.status_code, answer.json()["code"]) == (403, "NotAllowed")
    assert "second factor" in answer.json()["message"]


def test_an_operator_who_has_not_set_one_up_can_sign_out(forced, people):
    olga = sign_in("olga", people.password)

    assert olga.post("/accounts/logout/").status_code == 302
    assert "login" in olga.get("/")["Location"]


def test_others_may_have_one_and_need_none(forced, people, catalog):
    anna = sign_in("anna", people.password)

    assert anna.get("/").status_code == 200
    assert anna.get(SECOND_FACTOR).status_code == 200


def test_a_laptop_may_do_without(people, catalog):
    assert configured.LAPTOP
    assert not configured.SECOND_FACTOR
    assert sign_in("olga", people.password).get("/admin/").status_code == 200


def test_with_an_app_the_admin_opens_and_the_next_sign_in_asks_for_a_code(forced, people, catalog):
    olga = sign_in("olga", people.password)
    secret = set_up_app(olga, people.password)
    assert olga.get("/admin/").status_code == 200

    again = sign_in("olga", people.password)
    assert again.answer["Location"] == "/accounts/2fa/authenticate/"
    assert "login" in again.get("/admin/")["Location"]
    again.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "login" in again.get("/admin/")["Location"]
    again.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert again.get("/admin/").status_code == 200


def test_a_code_opens_once(forced, people):
    secret = set_up_app(sign_in("olga", people.password), people.password)
    code = code_of(secret)
    sign_in("olga", people.password).post("/accounts/2fa/authenticate/", {"code": code})

    second = sign_in("olga", people.password)
    second.post("/accounts/2fa/authenticate/", {"code": code})

    assert "login" in second.get("/")["Location"]


def test_a_recovery_code_opens_once_and_is_shown_once(forced, people, catalog):
    olga = sign_in("olga", people.password)
    set_up_app(olga, people.password)
    codes = codes_on(olga)
    assert len(codes) == 10
    assert codes_on(olga) == []

    for answer in (200, 302):
        again = sign_in("olga", people.password)
        again.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        assert again.get("/").status_code == answer


def test_guessing_codes_is_limited(forced, people):
    secret = set_up_app(sign_in("olga", people.password), people.password)
    thief = sign_in("olga", people.password)
    for guess in range(5):
        thief.post("/accounts/2fa/authenticate/", {"code": f"{guess:06}"})

    thief.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})

    assert "login" in thief.get("/")["Location"]


def test_secrets_of_second_factors_are_stored_encrypted(people):
    olga = sign_in("olga", people.password)
    secret = set_up_app(olga, people.password)
    codes = codes_on(olga)

    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert "gAAAA" in stored  # Fernet
    for plain in (secret, *codes):
        assert plain not in stored


def test_a_secret_on_its_way_is_not_in_the_session_table(people):
    olga = sign_in("olga", people.password)
    olga.post("/accounts/reauthenticate/", {"password": people.password})
    secret = re.search(r'id="secret" value="(\w+)"', olga.get(APP).content.decode()).group(1)

    assert olga.session["mfa.totp.secret"] == secret
    assert all(row.session_data.startswith("gAAAA") for row in Session.objects.all())


def test_a_thief_of_the_password_who_was_there_first_is_out(forced, people, catalog):
    thief = sign_in("olga", people.password)
    olga = sign_in("olga", people.password)

    set_up_app(olga, people.password)

    assert "login" in thief.get("/admin/")["Location"]
    assert olga.get("/admin/").status_code == 200
    assert Event.objects.filter(action="identity.second_factor", actor=people.olga).exists()


def test_changing_how_one_signs_in_asks_for_the_password_again(people):
    answer = sign_in("olga", people.password).get(APP)

    assert answer["Location"].startswith("/accounts/reauthenticate/")


# ── one-time passwords ──────────────────────────────────────────────────────────────────────────────────────


def created(capsys, *arguments: str, **options: bool) -> tuple[str, str]:
    """Name and password that the command prints."""
    call_command("create_admin", *arguments, **options)
    lines = capsys.readouterr().out.splitlines()
    return lines[0].removeprefix("Username: "), lines[1].rpartition(": ")[2]


def test_a_new_administrator_changes_the_password_then_adds_a_second_factor(forced, db, catalog, capsys):
    name, password = created(capsys)
    admin = sign_in(name, password)
    assert admin.get("/admin/")["Location"] == "/accounts/password/"
    assert admin.get("/api/v1/me/").json()["message"] == "Change your one-time password first."

    new = "a-password-that-only-they-know"
    admin.post("/accounts/password/", {"oldpassword": password, "password1": new, "password2": new})
    assert admin.get("/admin/")["Location"] == SECOND_FACTOR
    set_up_app(admin, new)

    assert admin.get("/admin/").status_code == 200
    assert User.objects.get(username=name).is_superuser
    assert sign_in(name, password).answer.status_code == 200  # the sign-in page again
    assert Event.objects.filter(action="identity.create", subject=f"account {name}").exists()


def test_a_name_that_is_left_out_cannot_be_guessed(db, capsys):
    names = {created(capsys)[0] for _ in range(3)}

    assert len(names) == 3
    assert all(re.fullmatch(r"admin-[0-9a-f]{8}", name) for name in names)


def test_a_one_time_password_ends(db, capsys):
    name, password = created(capsys, "root")
    User.objects.update(one_time_until=now())

    answer = sign_in(name, password).answer

    assert answer.status_code == 403
    assert "one-time password has ended" in unescape(answer.content.decode())


def test_a_lost_device_is_replaced_by_a_new_one_time_password(forced, people, capsys):
    olga = sign_in("olga", people.password)
    set_up_app(olga, people.password)

    _, password = created(capsys, "olga", reset=True)

    assert "login" in olga.get("/")["Location"]
    again = sign_in("olga", password)
    assert again.get("/")["Location"] == "/accounts/password/"


@pytest.mark.parametrize(
    ("name", "options"), [("olga", {}), ("OLGA", {}), ("anna", {"reset": True}), (None, {"reset": True})]
)
def test_the_command_refuses_what_makes_no_sense(people, name, options):
    with pytest.raises(CommandError):
        call_command("create_admin", *([name] if name else []), **options)


def test_a_password_that_an_administrator_sets_can_only_be_replaced(people, client_for):
    client_for(people.olga).post(
        f"/admin/identity/user/{people.anna.pk}/password/",
        {"usable_password": "true", "password1": "known-to-both-of-us", "password2": "known-to-both-of-us"},
    )

    assert sign_in("anna", "known-to-both-of-us").get("/")["Location"] == "/accounts/password/"


# ── limits, and ways that do not exist ──────────────────────────────────────────────────────────────────────


def test_after_five_wrong_passwords_the_right_one_has_to_wait(people):
    for number in range(5):
        sign_in("anna", f"wrong-{number}")

    answer = sign_in("anna", people.password).answer

    assert answer.status_code == 200
    assert b"Too many failed" in answer.content
    assert sign_in("bert", people.password).answer.status_code == 302


def test_an_address_that_tries_without_end_has_to_wait(people):
    for number in range(30):
        sign_in(f"name-{number}", "wrong")

    answer = sign_in("name", "wrong").answer

    assert answer.status_code == 429
    assert b"Too many tries" in answer.content


def test_an_address_that_somebody_claims_is_not_believed_without_a_proxy(people):
    client = Client(headers={"X-Forwarded-For": "203.0.113.7"})

    sign_in("anna", people.password, client=client)

    assert Session.objects.get(user=people.anna).address == "127.0.0.1"


def test_behind_a_proxy_the_last_address_before_it_counts(people, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    client = Client(headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7"})

    sign_in("anna", people.password, client=client)

    assert Session.objects.get(user=people.anna).address == "203.0.113.7"


def test_the_admin_has_no_password_form_of_its_own(people, client_for):
    form = {"username": "olga", "password": people.password}

    assert Client().get("/admin/login/?next=/admin/")["Location"] == "/accounts/login/?next=/admin/"
    assert Client().post("/admin/login/", form)["Location"].startswith("/accounts/login/")
    assert client_for(people.anna).get("/admin/login/").status_code == 403
    assert client_for(people.olga).get("/admin/password_change/")["Location"] == "/accounts/password/"


@pytest.mark.parametrize(
    "path", ["password/reset/", "password/set/", "email/", "confirm-email/", "login/code/", "phone/verify/"]
)
def test_pages_that_the_portal_does_not_need_do_not_exist(people, client_for, path):
    assert client_for(people.anna).get(f"/accounts/{path}").status_code == 404


def test_a_closed_account_is_told_so_and_stays_out(people):
    User.objects.filter(username="anna").update(is_active=False)

    answer = sign_in("anna", people.password).answer

    assert answer["Location"] == "/accounts/inactive/"
    assert Client().get("/accounts/inactive/").status_code == 200


def test_every_way_in_refuses_an_entra_account(people, rf):
    User.objects.filter(username="anna").update(**ENTRA_IDS)
    people.anna.refresh_from_db()

    with pytest.raises(NotAllowed, match="Entra ID"):  # a passkey, or whatever comes
        LocalAccountAdapter().pre_login(rf.get("/"), people.anna)
    answer = sign_in("anna", people.password).answer
    assert answer.status_code == 403


def test_no_mail_resets_a_password(people, mailoutbox):
    LocalAccountAdapter().send_password_reset_mail(people.anna, "anna@portal.example", {})

    assert mailoutbox == []


# ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────


def test_sessions_are_listed_and_ended_one_by_one(people, catalog):
    here = sign_in("anna", people.password, agent="Mozilla/5.0 (X11; Linux) Chrome/140.0 Safari/537.36")
    there = sign_in("anna", people.password, agent="Mozilla/5.0 (iPhone) Version/18 Safari/604.1")
    page = here.get("/accounts/sessions/").content.decode()
    assert "Chrome on Linux" in page
    name = re.search(
        r'name="name" value="(\w{16})">End<span class="vh"> the one of Safari on iPhone', page
    ).group(1)

    here.post("/accounts/sessions/end/", {"name": name})

    assert there.get("/").status_code == 302
    assert here.get("/").status_code == 200


def test_the_page_does_not_show_what_opens_a_session(people):
    anna = sign_in("anna", people.password)
    sign_in("anna", people.password)

    page = anna.get("/accounts/sessions/").content.decode()

    assert not [row for row in Session.objects.all() if row.session_key in page]


def test_nobody_ends_the_sessions_of_others(people, catalog):
    anna, bert = sign_in("anna", people.password), sign_in("bert", people.password)
    name = Session.objects.get(user=people.anna).name

    bert.post("/accounts/sessions/end/", {"name": name})
    bert.post("/accounts/sessions/end/")

    assert anna.get("/").status_code == 200


def test_a_new_password_ends_the_other_sessions(people, catalog):
    here, there = sign_in("anna", people.password), sign_in("anna", people.password)
    new = "another-long-password"

    here.post("/accounts/password/", {"oldpassword": people.password, "password1": new, "password2": new})

    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 302


def test_an_administrator_ends_the_sessions_of_an_account(people, client_for):
    anna, olga = sign_in("anna", people.password), client_for(people.olga)

    olga.post("/admin/identity/user/", {"action": "end_sessions", "_selected_action": [people.anna.pk]})

    assert "login" in anna.get("/")["Location"]


def test_rows_of_sessions_that_have_ended_are_forgotten(people):
    sign_in("anna", people.password)
    sign_in("bert", people.password)
    Session.objects.filter(user=people.anna).update(expire_date=now())

    sessions.forget_ended()

    assert [row.user for row in Session.objects.all()] == [people.bert]


def test_the_admin_shows_who_has_a_second_factor_and_moves_none(people, client_for):
    anna, olga = sign_in("anna", people.password), client_for(people.olga)
    set_up_app(anna, people.password)
    page = f"/admin/mfa/authenticator/{Authenticator.objects.first().pk}/change/"

    assert b"gAAAA" not in olga.get(page).content
    assert olga.post(page, {"user": people.olga.pk}).status_code == 403
    assert olga.get("/admin/account/emailaddress/").status_code == 404


def test_a_session_that_cannot_be_read_is_none(people):
    anna = sign_in("anna", people.password)
    Session.objects.update(session_data="not ours")

    assert "login" in anna.get("/")["Location"]


def test_operators_with_a_local_account_are_noticed(people, caplog):
    sign_in("olga", people.password)
    sign_in("anna", people.password)

    assert [event.subject for event in Event.objects.filter(action="identity.sign_in")] == ["account olga"]
    assert "The operator olga signed in with a local account, from 127.0.0.1." in caplog.text
