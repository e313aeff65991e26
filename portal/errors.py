"""
Every error the portal raises on purpose.

PortalError
├── InvalidInput       400  what was sent does not make sense; `problems` says why, field by field
├── SignInAgain        401  the sign-in is too old, and this cannot be sent to renew it
├── NotAllowed         403  this person may not do this
├── WrongState         409  not now: the request has moved on
├── VersionConflict    409  somebody else changed it first: read again
├── InProgress         409  the very same call is being answered right now
├── HasChanged         412  it is not what the caller has seen any more
├── KeyIsTaken         422  this Idempotency-Key belongs to another body
├── PolicyRefused      422  it makes sense, and the rules say no; `verdict` says which
│   └── BudgetExceeded 422  the budget of the business unit says no
└── OutsideError       502  something beyond the portal failed
    └── Unavailable    503  it may work later: try again

Anything else that is raised is a bug and becomes a 500. What one may not see is a 404.
"""

from collections.abc import Mapping
from typing import Any


class PortalError(Exception):
    status = 500
    problems: Mapping[str, str] = {}

    @property
    def code(self) -> str:
        """The machine-readable name, as in `code` of an API answer."""
        return type(self).__name__

    def body(self) -> dict[str, Any]:
        """The one JSON form of an error."""
        return {"code": self.code, "message": str(self), "problems": dict(self.problems)}

    def headers(self) -> dict[str, str]:
        """What the answer says on top."""
        return {}


class InvalidInput(PortalError):
    status = 400

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {why}" for field, why in problems.items()))
        self.problems = dict(problems)


class SignInAgain(PortalError):
    status = 401


class NotAllowed(PortalError):
    status = 403


class WrongState(PortalError):
    status = 409


class VersionConflict(PortalError):
    status = 409


class InProgress(PortalError):
    status = 409

    def headers(self) -> dict[str, str]:
        return {"Retry-After": "1"}


class HasChanged(PortalError):
    status = 412


class KeyIsTaken(PortalError):
    status = 422


class PolicyRefused(PortalError):
    status = 422

    def __init__(self, message: str, verdict: Mapping[str, Any], problems: Mapping[str, str]) -> None:
        super().__init__(message)
        self.verdict = dict(verdict)
        self.problems = dict(problems)

    def body(self) -> dict[str, Any]:
        return {**super().body(), "verdict": self.verdict}


class BudgetExceeded(PolicyRefused):
    def __init__(self, message: str) -> None:
        """The message has the amounts, and what to do."""
        super().__init__(message, {}, {"business_unit": message})


class OutsideError(PortalError):
    status = 502


class Unavailable(OutsideError):
    status = 503
