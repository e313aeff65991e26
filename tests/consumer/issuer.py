"""The part of GitHub that signs: its keys and its tokens, over HTTP on loopback."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

AUDIENCE = "https://groundwork.example"
REPOSITORY_ID = "987654321"
WORKFLOW = "example/platform/.github/workflows/provision.yml@refs/heads/main"
REQUEST_SECRET = "secret-of-the-job"


class Issuer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.keys: dict[str, rsa.RSAPrivateKey] = {}
        self.fetches, self.status = 0, 200
        self.run_id = "1234567890"
        self.roll_over("key-1")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def roll_over(self, kid: str) -> None:
        """From now on it signs with another key."""
        self.keys[kid] = rsa.generate_private_key(65537, 2048)
        self.kid = kid

    def claims(self, **changes: Any) -> dict[str, Any]:
        at = int(time.time())
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "repo:example/platform:environment:payments-apply",
            "jti": str(uuid.uuid4()),
            "iat": at,
            "nbf": at - 5,
            "exp": at + 300,
            "repository": "example/platform",
            "repository_id": REPOSITORY_ID,
            "job_workflow_ref": WORKFLOW,
            "event_name": "workflow_dispatch",
            "run_id": self.run_id,
            "run_attempt": "1",
            "runner_environment": "self-hosted",
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, *, kid: str = "", **changes: Any) -> str:
        """With these claims instead of the right ones; None leaves one out."""
        kid = kid or self.kid
        return jwt.encode(self.claims(**changes), self.keys[kid], "RS256", {"kid": kid})

    def jwks(self) -> dict[str, Any]:
        keys = []
        for kid, key in self.keys.items():
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
            keys.append({**public, "kid": kid, "alg": "RS256", "use": "sig"})
        return {"keys": keys}


class Handler(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/.well-known/jwks":
            self.server.fetches += 1
            self._answer(self.server.status, self.server.jwks())
        elif self.headers["Authorization"] == f"Bearer {REQUEST_SECRET}":
            (audience,) = parse_qs(parts.query)["audience"]
            self._answer(200, {"value": self.server.token(aud=audience)})
        else:
            self._answer(401, {})

    def _answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def issuer() -> Iterator[Issuer]:
    with Issuer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
