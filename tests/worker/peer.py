"""A small portal: the run protocol and Terraform's state over real HTTP, in memory."""

import base64
import dataclasses
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

TOKEN = "run-token-of-the-test"


@dataclasses.dataclass
class State:
    """One deployment's state: the current text, every version that was written, and who holds the lock."""

    text: bytes = b""
    versions: list[bytes] = dataclasses.field(default_factory=list)
    lock: dict[str, Any] | None = None
    locks_refused: int = 0

    @property
    def addresses(self) -> list[str]:
        resources = json.loads(self.text or b"{}").get("resources", [])
        return [
            f"{r['type']}.{r['name']}" for r in resources for _ in r["instances"] if r["mode"] == "managed"
        ]


@dataclasses.dataclass
class PeerRun:
    """One run: what its claim is answered with, and what the worker said."""

    answer: dict[str, Any]
    deployment: str = ""
    token: str = TOKEN
    claimants: list[str] = dataclasses.field(default_factory=list)
    entries: dict[int, dict[str, Any]] = dataclasses.field(default_factory=dict)
    plan: dict[str, Any] | None = None
    finish: dict[str, Any] | None = None
    stop: bool = False
    verdict: dict[str, Any] = dataclasses.field(default_factory=lambda: {"proceed": True, "reason": ""})
    heard: list[bytes] = dataclasses.field(default_factory=list)

    @property
    def log(self) -> list[str]:
        return [entry["text"] for _, entry in sorted(self.entries.items())]


class Peer:
    def __init__(self) -> None:
        self.runs: dict[str, PeerRun] = {}
        self.states: dict[str, State] = {}
        self.lose_answer_of: set[str] = set()  # names of calls whose next answer gets lost on the way
        self.answer_next_with: dict[str, int] = {}  # name of a call, or "state" (write): status of its answer
        self._port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; again on the same port after a stop."""
        handler = type("Handler", (_Handler,), {"peer": self})
        self._server = _Server(("127.0.0.1", self._port), handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def state_address(self, deployment: str) -> dict[str, str]:
        self.states.setdefault(deployment, State())
        address = f"{self.url}/state/{deployment}"
        return {"address": address, "lock_address": address, "unlock_address": address}

    def is_valid(self, key: str, token: str) -> bool:
        return key in self.runs and self.runs[key].token == token


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Handler(BaseHTTPRequestHandler):
    peer: Peer

    def log_message(self, format: str, *arguments: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/state/"):
            self._write_state(body)
            return
        *_, key, name = self.path.split("/")
        if not self.peer.is_valid(key, self.headers.get("Authorization", "").removeprefix("Bearer ")):
            self._answer(403, {"code": "not_allowed", "message": "This token is not for this run."})
            return
        if status := self.peer.answer_next_with.pop(name, None):
            self._answer(status, {"message": "not now"})
            return
        run = self.peer.runs[key]
        run.heard.append(body)
        status, answer = getattr(self, f"_run_{name}")(run, json.loads(body))
        if name in self.peer.lose_answer_of:
            self.peer.lose_answer_of.discard(name)
            self.close_connection = True
            return
        self._answer(status, answer)

    def _run_claim(self, run: PeerRun, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        run.claimants.append(body["claimant"])
        if run.finish or body["claimant"] != run.claimants[0]:
            return 409, {"code": "wrong_state", "message": "Another worker has this run."}
        return 200, run.answer

    def _run_entries(self, run: PeerRun, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        for entry in body["entries"]:
            run.entries.setdefault(entry["sequence"], entry)
        return 200, {"stop": run.stop}

    def _run_plan(self, run: PeerRun, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        run.plan = body
        return 200, {**run.verdict, "verdict": {}}

    def _run_finish(self, run: PeerRun, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        run.finish = run.finish or body
        return 200, {}

    def do_GET(self) -> None:
        state = self._state()
        if state is None:
            return
        if state.text:
            self._answer(200, state.text)
        else:
            self._answer(204, b"")

    def _write_state(self, body: bytes) -> None:
        state = self._state()
        if state is None:
            return
        if status := self.peer.answer_next_with.pop("state", None):
            self._answer(status, {})
            return
        if state.lock and f"ID={state.lock['ID']}" not in self.path:
            self._answer(423, state.lock)
            return
        state.text = body
        state.versions.append(body)
        self._answer(200, {})

    def do_LOCK(self) -> None:
        wanted = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        state = self._state()
        if state is None:
            return
        # The same lock again is a repeated call whose first answer got lost.
        if state.lock and state.lock["ID"] != wanted["ID"]:
            state.locks_refused += 1
            self._answer(423, state.lock)
            return
        state.lock = wanted
        self._answer(200, {})

    def do_UNLOCK(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        state = self._state()
        if state is None:
            return
        state.lock = None
        self._answer(200, {})

    def _state(self) -> State | None:
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        key, _, token = base64.b64decode(given).decode().partition(":")
        if not self.peer.is_valid(key, token):
            self._answer(403, {})
            return None
        return self.peer.states[self.path.partition("?")[0].rpartition("/")[2]]

    def _answer(self, status: int, body: dict[str, Any] | bytes) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)
