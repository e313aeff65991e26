"""Where the client is sent, and with what: GROUNDWORK_URL and GROUNDWORK_TOKEN."""

import time

import pytest

from tests.cli.conftest import Groundwork
from tests.cli.peer import peer

TOKEN = "gwk_example"
DEPLOYMENT = "0b7c2a53-54f0-4b0e-9d5e-6a3a51c1f2aa"
ME = {"username": "anna", "name": "Anna", "is_operator": False, "business_units": []}


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://portal.example.com", "anybody on the way could read the token"),
        ("http://10.0.0.7:8000", "anybody on the way could read the token"),
        ("http://127.0.0.1.example.com", "anybody on the way could read the token"),
        ("ftp://portal.example.com", "is not an address"),
        ("portal.example.com", "is not an address"),
        ("https://anna:secret@portal.example.com", "more than host and path"),
    ],
)
def test_an_address_that_is_wrong_or_not_safe_is_refused(
    groundwork: Groundwork, monkeypatch: pytest.MonkeyPatch, url: str, why: str
) -> None:
    monkeypatch.setenv("GROUNDWORK_URL", url)
    monkeypatch.setenv("GROUNDWORK_TOKEN", TOKEN)

    answer = groundwork("whoami")

    assert answer.code == 1
    assert "GROUNDWORK_URL" in answer.err
    assert why in answer.err
    assert "Fix:" in answer.err


@pytest.mark.parametrize("token", ["", "   ", "two words", "gwk_ümlaut"])
def test_without_a_token_nothing_is_sent(
    groundwork: Groundwork, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    with peer((200, ME)) as portal:
        monkeypatch.setenv("GROUNDWORK_URL", portal.url)
        monkeypatch.setenv("GROUNDWORK_TOKEN", token)

        answer = groundwork("whoami")

    assert answer.code == 1
    assert "GROUNDWORK_TOKEN" in answer.err
    assert portal.asked == []


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch, groundwork: Groundwork) -> None:
    monkeypatch.setenv("GROUNDWORK_TOKEN", TOKEN)


@pytest.mark.usefixtures("token")
class TestAnswers:
    def test_the_token_is_not_replaced_by_a_netrc_file_and_not_sent_through_a_proxy(
        self, groundwork: Groundwork, monkeypatch: pytest.MonkeyPatch, tmp_path
    ) -> None:
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login root password root\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        with peer((200, ME)) as portal:
            monkeypatch.setenv("GROUNDWORK_URL", portal.url)
            answer = groundwork("whoami")

        assert answer.code == 0, answer.err
        assert portal.headers[0]["Authorization"] == f"Bearer {TOKEN}"

    def test_a_look_is_tried_again(self, groundwork: Groundwork, monkeypatch: pytest.MonkeyPatch) -> None:
        with peer((503, "starting"), (0, None), (200, ME)) as portal:
            monkeypatch.setenv("GROUNDWORK_URL", portal.url)
            answer = groundwork("whoami")

        assert answer.code == 0, answer.err
        assert portal.asked == ["GET /api/v1/me/"] * 3

    def test_a_step_is_sent_once_and_may_have_been_taken(
        self, groundwork: Groundwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with peer((200, {"version": 7}), (0, None)) as portal:
            monkeypatch.setenv("GROUNDWORK_URL", portal.url)
            answer = groundwork("approve", "REQ-1")

        assert answer.code == 2
        assert portal.asked == ["GET /api/v1/requests/1/", "POST /api/v1/requests/1/approve/"]
        assert portal.headers[1]["If-Match"] == '"7"'
        assert "It may have been done all the same" in answer.err

    def test_asking_is_done_once_so_it_is_tried_again_with_the_same_key(
        self, groundwork: Groundwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        in_progress = (409, {"code": "InProgress", "message": "The first call is at work."})
        with peer((200, {"id": DEPLOYMENT}), (0, None), in_progress, (201, {"ref": "REQ-1"})) as portal:
            monkeypatch.setenv("GROUNDWORK_URL", portal.url)
            answer = groundwork("destroy", DEPLOYMENT, "--json")

        assert answer.code == 0, answer.err
        assert portal.asked[1:] == ["POST /api/v1/requests/"] * 3
        assert len({headers["Idempotency-Key"] for headers in portal.headers[1:]}) == 1

    def test_who_gets_no_answer_at_all_is_told_how_to_ask_again(
        self, groundwork: Groundwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with peer((200, {"id": DEPLOYMENT}), (0, None)) as portal:
            monkeypatch.setenv("GROUNDWORK_URL", portal.url)
            answer = groundwork("destroy", DEPLOYMENT, "--key", "pipeline-7")

        assert answer.code == 2
        assert {headers["Idempotency-Key"] for headers in portal.headers[1:]} == {"pipeline-7"}
        assert "Ask again with --key pipeline-7" in answer.err

    def test_too_many_calls_are_told_with_the_time_to_wait_and_looks_wait_for_it(
        self, groundwork: Groundwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pauses: list[float] = []
        monkeypatch.setattr(time, "sleep", pauses.append)
        too_many = (429, {"code": "TooManyCalls", "message": "Too many calls."}, {"Retry-After": "40"})
        with peer(too_many, (200, ME)) as portal:
            monkeypatch.setenv("GROUNDWORK_URL", portal.url)
            looked = groundwork("whoami")
            portal.answers[:] = [too_many]
            decided = groundwork("cancel", "1", "--version", "1")

        assert looked.code == 0
        assert 40.0 in pauses
        assert decided.code == 2
        assert "Wait 40 seconds, and ask less often" in decided.err

    def test_a_portal_that_is_not_there_is_said(
        self, groundwork: Groundwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with peer((200, ME)) as portal:
            url = portal.url
        monkeypatch.setenv("GROUNDWORK_URL", url)

        answer = groundwork("cancel", "1", "--version", "1")

        assert answer.code == 2
        assert f"The portal at {url} did not answer" in answer.err
        assert "Check that the portal is running" in answer.err

    def test_a_redirect_is_not_followed(
        self, groundwork: Groundwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with peer((302, "")) as portal:
            monkeypatch.setenv("GROUNDWORK_URL", portal.url)
            answer = groundwork("whoami")

        assert answer.code == 1
        assert "sends on to https://elsewhere.example/" in answer.err
        assert len(portal.asked) == 1

    def test_something_else_than_a_portal_is_told_apart(
        self, groundwork: Groundwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with peer((200, "<h1>It works</h1>")) as portal:
            monkeypatch.setenv("GROUNDWORK_URL", portal.url)
            answer = groundwork("whoami")

        assert answer.code == 1
        assert "not as a portal does" in answer.err

    def test_an_answer_of_another_shape_is_no_traceback(
        self, groundwork: Groundwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with peer((200, {"hello": "world"})) as portal:
            monkeypatch.setenv("GROUNDWORK_URL", portal.url)
            answer = groundwork("whoami")

        assert answer.code == 2
        assert "another version" in answer.err

    def test_what_others_wrote_cannot_steer_the_terminal(
        self, groundwork: Groundwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with peer((200, {**ME, "name": "Anna\x1b]0;owned\x07\x9b31m[bold]"})) as portal:
            monkeypatch.setenv("GROUNDWORK_URL", portal.url)
            answer = groundwork("whoami")

        assert answer.code == 0
        assert "Anna]0;owned31m[bold]" in answer.out
        assert not set(answer.out) & {"\x1b", "\x07", "\x9b"}
