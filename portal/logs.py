"""The id of the call that is being answered, in every line of the log. No Django in here: logging is set up first."""

import logging
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="-")


class WithRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        # Django tells of refusals when the call is over, and adds the call.
        call = getattr(record, "request", None)
        record.request_id = getattr(call, "request_id", "") or request_id.get()
        return True
