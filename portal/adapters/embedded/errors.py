"""No exception of the database passes an adapter."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError

from portal.errors import Unavailable

P = ParamSpec("P")
T = TypeVar("T")


def database(method: Callable[P, T]) -> Callable[P, T]:
    @wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except (OperationalError, InterfaceError) as error:
            raise Unavailable(f"The database did not answer: {error}") from error

    return guarded
