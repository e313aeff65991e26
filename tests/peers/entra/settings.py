"""Everything is in a folder that is thrown away, and everything is known: never deploy it."""

import os
from pathlib import Path

from tests.peers.entra import tenant

FOLDER = Path(os.environ["ENTRA_FOLDER"])
BASE_URL = os.environ["ENTRA_URL"]
PASSWORD = os.environ["ENTRA_PASSWORD"]  # of everybody
TENANT_URL = f"{BASE_URL}/{tenant.TENANT}"

SECRET_KEY = "for-tests-only-" + "y" * 60
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "tests.peers.entra.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "entra.Person"
INSTALLED_APPS = [
    "tests.peers.entra",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "allauth",
    "allauth.account",
    "allauth.idp.oidc",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "tests.peers.entra.control.Control",
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": FOLDER / "entra.sqlite3",
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
    }
}
# Tables as the models are now: migrations would take seconds.
MIGRATION_MODULES = {name.rpartition(".")[2]: None for name in INSTALLED_APPS} | {"allauth_idp_oidc": None}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Other names than the portal's: cookies do not tell ports apart.
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "entra_sid", "entra_csrf"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_RATE_LIMITS = IDP_OIDC_RATE_LIMITS = False
IDP_OIDC_ADAPTER = "tests.peers.entra.adapter.EntraAdapter"
IDP_OIDC_ACCESS_TOKEN_FORMAT = "jwt"
IDP_OIDC_ID_TOKEN_EXPIRES_IN = 3600
IDP_OIDC_DEVICE_CODE_INTERVAL = 1
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
