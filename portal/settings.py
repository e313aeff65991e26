"""Django's settings. What differs between machines comes from portal/env.py; the outside world is chosen at the end."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import fontpkg_inter
from django.core.exceptions import ImproperlyConfigured

from portal.env import ROOT, env

BASE_DIR = ROOT
DATA_DIR = env.DATA_DIR
DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)

SECRET_KEY = env.SECRET_KEY
LAPTOP = env.DEBUG  # cookies and redirects may do without TLS
DEBUG = False  # Django's own debug pages show tracebacks, which no user may see
ALLOWED_HOSTS = env.ALLOWED_HOSTS.split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in env.CSRF_TRUSTED_ORIGINS.split(",") if origin]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
ASGI_APPLICATION = "portal.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_I18N = False

INSTALLED_APPS = [
    "portal",  # before the admin, so that templates/admin/ and our admin site win
    "portal.apps.GroundworkAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "portal.identity",
    "catalog_app",
    "billing_app",
    "requests_app",
    "consumer",
    "allauth",
    "allauth.account",
    "rest_framework",
    "drf_spectacular",
    "django_filters",
    "django_htmx",
    "django_q",
    "lucide",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.csp.ContentSecurityPolicyMiddleware",
    "portal.http.Headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.http.ErrorPages",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.csp.csp",
                "portal.context.shell",
                "requests_app.views.waiting",
            ],
            "builtins": [
                "django.templatetags.static",
                "django.contrib.humanize.templatetags.humanize",
                "portal.templatetags.ui",
            ],
        },
    }
]
FORM_RENDERER = "portal.context.PortalFormRenderer"


def _database(url: str) -> dict[str, Any]:
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA_DIR / "portal.sqlite3",
            # A file: in memory, SQLite's locks are other ones than those in production.
            "TEST": {"NAME": DATA_DIR / f"test-{os.getpid()}.sqlite3"},
            # IMMEDIATE: a transaction takes its write lock at the start, so it waits and never fails half-way.
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(f"DATABASE_URL begins with postgresql://, not {parts.scheme}://")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


DATABASES = {"default": _database(env.DATABASE_URL)}
# Shared by all processes: rate limits live in it. `manage.py createcachetable` makes the table.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "portal_cache"},
}

# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────
AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = ["portal.identity.local.LocalAccountBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "portal.identity.local.LocalAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/300s/key", "login": "30/m/ip"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 14},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
API_TOKEN_MAX_DAYS = 90

# ── hardening ───────────────────────────────────────────────────────────────────────────────────────────────
SESSION_COOKIE_NAME = "groundwork_sid" if LAPTOP else "__Host-groundwork_sid"
CSRF_COOKIE_NAME = "groundwork_csrf" if LAPTOP else "__Host-groundwork_csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not LAPTOP
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SECURE_SSL_REDIRECT = not LAPTOP
SECURE_REDIRECT_EXEMPT = [r"^healthz/"]
SECURE_PROXY_SSL_HEADER = None if LAPTOP else ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 0 if LAPTOP else 31536000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not LAPTOP
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "portal.views.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20  # a Terraform state; a request form is far smaller
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'", "<nonce>"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "manifest-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
    "object-src": ["'none'"],
}

# ── static files ────────────────────────────────────────────────────────────────────────────────────────────
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "staticfiles"
STATIC_ROOT.mkdir(exist_ok=True)
# The font package is data, not a Django app: its folder gets a prefix of our own.
STATICFILES_DIRS = [("fonts/inter", Path(fontpkg_inter.__file__).parent / "files")]
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# ── API ─────────────────────────────────────────────────────────────────────────────────────────────────────
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "portal.identity.drf.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "portal.identity.drf.TokenScopePermission",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 25,
    "EXCEPTION_HANDLER": "portal.http.error_response",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Groundwork API",
    "DESCRIPTION": "Self-service infrastructure: the same rules as the portal, for automation.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "RequestStateEnum": "requests_app.states.State",
        "DeploymentStateEnum": "requests_app.states.DeploymentState",
        "EnvironmentEnum": "portal.identity.models.Environment",
        "KindEnum": "requests_app.states.Kind",
    },
}

# ── background work ─────────────────────────────────────────────────────────────────────────────────────────
Q_CLUSTER = {
    "name": "groundwork",
    "orm": "default",
    "workers": 2,
    "timeout": 120,
    "retry": 180,
    "max_attempts": 3,
    "poll": 0.3,
    "catch_up": False,
    "label": "Background tasks",
    "save_limit": 500,
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.LOG_LEVEL},
    # Azure-sized libraries are chatty at INFO; ours are not.
    "loggers": {"django-q": {"level": "WARNING"}},
}

# ── Groundwork ──────────────────────────────────────────────────────────────────────────────────────────────
CATALOG_FOLDER = BASE_DIR / "terraform" / "modules"
POLICY_FOLDER = BASE_DIR / "terraform" / "policies"
CURRENCY = env.CURRENCY
PORTAL_URL = env.PORTAL_URL.rstrip("/")
STATE_KEYS = [key for key in env.STATE_KEYS.split(",") if key]
SILENT_AFTER = env.SILENT_AFTER
CLAIM_WITHIN = env.CLAIM_WITHIN
RUN_LIMIT = env.RUN_LIMIT
DELIVERY_LOCK = env.DELIVERY_LOCK
DECIDE_WITHIN_DAYS = env.DECIDE_WITHIN_DAYS

# The outside world: one adapter for each port in portal/ports.py.
EMBEDDED: dict[str, Any] = {
    "queue": {
        "BACKEND": "portal.adapters.embedded.queue.DatabaseQueue",
        "OPTIONS": {"lock_seconds": env.DELIVERY_LOCK, "max_deliveries": 10},
    },
    "tracker": {"BACKEND": "portal.adapters.embedded.tracker.DatabaseTracker"},
    "runner": {
        "BACKEND": "portal.adapters.embedded.runner.LocalRunner",
        "OPTIONS": {
            "folder": DATA_DIR / "runs",
            "project": BASE_DIR,
            "portal_url": PORTAL_URL,
            "terraform": env.TERRAFORM,
            "sandbox_store": DATA_DIR / "sandbox.json",
            "sandbox_time_scale": env.SANDBOX_TIME_SCALE,
            "sandbox_faults": env.SANDBOX_FAULTS,
        },
    },
}
PORTS = {"embedded": EMBEDDED}[env.BACKENDS]
