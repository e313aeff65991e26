"""Pages about one's own account: where it is signed in, and its second factor."""

from typing import Any

from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from portal import audit
from portal.http import SignedIn
from portal.identity import sessions


def sessions_page(request: SignedIn) -> HttpResponse:
    context = {"sessions": sessions.active(request.user), "current": request.session.session_key}
    return render(request, "account/sessions.html", context)


@require_POST
def end_session(request: SignedIn) -> HttpResponse:
    """One of one's own, by its public name, or all others."""
    ended = sessions.end(request, request.POST.get("name", ""))
    messages.success(request, f"{ended} session{'' if ended == 1 else 's'} ended.")
    return redirect("account_sessions")


class EndsOtherSessions:
    """
    For the pages that add a second factor: whoever signed in elsewhere with the password alone is out.

    Without this, a thief of the password who was there first would stay.
    """

    request: Any

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        sessions.end(self.request)
        user = self.request.user
        audit.record("identity.second_factor", f"account {user.username}"[:80], actor=user)
        return response


class ActivateTOTP(EndsOtherSessions, ActivateTOTPView):
    """Stock, but for the other sessions."""


class AddPasskey(EndsOtherSessions, AddWebAuthnView):
    """Stock, but for the other sessions."""
