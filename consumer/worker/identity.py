"""Who this worker is: by the token on its standard input, or by GitHub Actions, which runs it."""

from collections.abc import Mapping
from typing import Final, TextIO

import requests
from requests.auth import AuthBase

from consumer.worker.settings import BadSettings

TIMEOUT: Final = (5, 30)  # seconds to connect, seconds to answer
URL: Final = "ACTIONS_ID_TOKEN_REQUEST_URL"
SECRET: Final = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"


class _Bearer(AuthBase):
    """A plain header would be replaced by what a .netrc of the machine says."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.secret}"
        return request


def first_token(environment: Mapping[str, str], audience: str, stdin: TextIO) -> str:
    """What the claim is made with. BadSettings when GitHub gives none: a job needs `permissions: id-token: write`."""
    if not audience:
        return stdin.readline().strip()
    url, secret = environment.get(URL), environment.get(SECRET)
    if not (url and secret):
        raise BadSettings(f"{URL} is not set: the job needs the permission id-token: write")
    try:
        answer = requests.get(
            url,
            params={"audience": audience},
            auth=_Bearer(secret),
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        return str(answer.json()["value"])
    except (requests.RequestException, KeyError, TypeError, ValueError) as error:
        # Without its text: an address could be in it.
        raise BadSettings(f"GitHub gave no token for this job ({type(error).__name__})") from None
