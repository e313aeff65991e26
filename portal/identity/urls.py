"""
Sign-in, sign-out and one's own account, under the names that allauth looks for.

Only what is listed exists: allauth's pages to reset or set a password, for addresses and for codes by mail do not.
"""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.contrib.auth.decorators import login_not_required
from django.urls import path

from portal.identity import views

urlpatterns = [
    path("login/", account.login, name="account_login"),
    path(
        "logout/", login_not_required(account.logout), name="account_logout"
    ),  # also in the middle of a sign-in
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("signup/", account.signup, name="account_signup"),  # closed: it says so
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/", account.password_change, name="account_change_password"),
    path("sessions/", views.sessions_page, name="account_sessions"),
    path("sessions/end/", views.end_session, name="account_end_session"),
    path("2fa/", mfa.index, name="mfa_index"),
    path("2fa/", mfa.index, name="mfa_list_webauthn"),  # where allauth goes after removing a passkey
    path("2fa/authenticate/", mfa.authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("2fa/app/", views.ActivateTOTP.as_view(), name="mfa_activate_totp"),
    path("2fa/app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("2fa/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("2fa/codes/new/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("2fa/passkeys/add/", views.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("2fa/passkeys/<int:pk>/remove/", passkeys.remove_webauthn, name="mfa_remove_webauthn"),
    path("2fa/passkeys/login/", login_not_required(passkeys.login_webauthn), name="mfa_login_webauthn"),
    path(
        "2fa/passkeys/reauthenticate/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"
    ),
]
