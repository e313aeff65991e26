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
TIME_ZONE = env.TIME_ZONE
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
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "portal.identity",  # after allauth, whose pages in the admin it takes out
    "portal.webhooks",
    "catalog_app",
    "billing_app",
    "requests_app",
    "consumer",
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
    "portal.identity.gate.AccountGate",
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
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portal_cache",
        # With the usual 300, whoever tries many names would push out the counts and the codes that were used.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
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
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # other sessions end in any case
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/300s/key", "login": "30/m/ip"}
ALLAUTH_TRUSTED_PROXY_COUNT = env.TRUSTED_PROXIES
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 14},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ONE_TIME_PASSWORD_HOURS = 72  # that somebody else has made: its owner has to choose another one
API_TOKEN_MAX_DAYS = 90
API_TOKEN_UNSEEN_DAYS = 7  # those of Entra accounts stop when their person has not been seen for so long

# Second factors of local accounts.
ACCOUNT_KEYS = [key for key in env.ACCOUNT_KEYS.split(",") if key]
SECOND_FACTOR = (
    env.SECOND_FACTOR or not LAPTOP
)  # whether operators must have one: only a laptop may do without
MFA_ADAPTER = "portal.identity.local.EncryptingMFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = LAPTOP
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses are for display only
MFA_TOTP_ISSUER = "Groundwork"

# Sign-in with Entra ID. Without a tenant none of its code is loaded (docs/identity.md).
ENTRA = bool(env.ENTRA_TENANT_ID)
ENTRA_TENANT_ID, ENTRA_CLIENT_ID = env.ENTRA_TENANT_ID, env.ENTRA_CLIENT_ID
ENTRA_CLIENT_SECRET, ENTRA_FEDERATED_TOKEN_FILE = env.ENTRA_CLIENT_SECRET, env.ENTRA_FEDERATED_TOKEN_FILE
ENTRA_AUTHORITY, ENTRA_GRAPH_URL = env.ENTRA_AUTHORITY.rstrip("/"), env.ENTRA_GRAPH_URL.rstrip("/")
ENTRA_API_AUDIENCES = [ENTRA_CLIENT_ID, f"api://{ENTRA_CLIENT_ID}"]
ENTRA_API_SCOPE = "Portal.Access"
ENTRA_CLIENTS = [client for client in env.ENTRA_CLIENTS.split(",") if client]
ENTRA_GUESTS = env.ENTRA_GUESTS
ENTRA_RENEW_GRACE, ENTRA_KEYS_EVERY = env.ENTRA_RENEW_GRACE, env.ENTRA_KEYS_EVERY
if ENTRA:
    AUTHENTICATION_BACKENDS.append("portal.identity.oidc.EntraBackend")
    MIDDLEWARE.insert(MIDDLEWARE.index("portal.http.ErrorPages"), "portal.identity.oidc.Renewal")
    ENTRA_ISSUER = f"{ENTRA_AUTHORITY}/{ENTRA_TENANT_ID}/v2.0"
    ENTRA_LOGOUT_ENDPOINT = f"{ENTRA_AUTHORITY}/{ENTRA_TENANT_ID}/oauth2/v2.0/logout"
    # Read by mozilla-django-oidc.
    OIDC_OP_AUTHORIZATION_ENDPOINT = f"{ENTRA_AUTHORITY}/{ENTRA_TENANT_ID}/oauth2/v2.0/authorize"
    OIDC_OP_TOKEN_ENDPOINT = f"{ENTRA_AUTHORITY}/{ENTRA_TENANT_ID}/oauth2/v2.0/token"
    OIDC_OP_JWKS_ENDPOINT = f"{ENTRA_AUTHORITY}/{ENTRA_TENANT_ID}/discovery/v2.0/keys"
    OIDC_OP_USER_ENDPOINT = f"{ENTRA_GRAPH_URL}/oidc/userinfo"  # it wants one; nobody calls it
    OIDC_RP_CLIENT_ID = ENTRA_CLIENT_ID
    OIDC_RP_CLIENT_SECRET = ""  # entra.py proves who the portal is
    OIDC_RP_SIGN_ALGO = "RS256"
    OIDC_RP_SCOPES = "openid profile email"  # oid and tid come with "profile"
    OIDC_USE_PKCE = OIDC_USE_NONCE = True
    OIDC_PKCE_CODE_CHALLENGE_METHOD = "S256"
    OIDC_MAX_STATES = 10
    OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS = env.ENTRA_RENEW_AFTER

# ── hardening ───────────────────────────────────────────────────────────────────────────────────────────────
SESSION_ENGINE = "portal.identity.sessions"
SESSION_COOKIE_NAME = "groundwork_sid" if LAPTOP else "__Host-groundwork_sid"
CSRF_COOKIE_NAME = "groundwork_csrf" if LAPTOP else "__Host-groundwork_csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not LAPTOP
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SECURE_SSL_REDIRECT = not LAPTOP
SECURE_REDIRECT_EXEMPT = [r"^healthz/"]
# Believed only with a proxy in front, which has to replace what a browser sends under this name.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = 0 if LAPTOP else 31536000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.HSTS_SUBDOMAINS and not LAPTOP
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "portal.views.csrf_failure"
DEFAULT_EXCEPTION_REPORTER = "portal.reports.Report"
DEFAULT_EXCEPTION_REPORTER_FILTER = "portal.reports.WithoutValues"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20  # a Terraform state; a request form is far smaller
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'", "<nonce>"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "manifest-src": ["'self'"],
    # Signing out ends with a redirect to Entra ID, and browsers hold that against the form.
    "form-action": ["'self'", ENTRA_AUTHORITY] if ENTRA else ["'self'"],
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
        *(["portal.identity.drf_entra.EntraBearerAuthentication"] if ENTRA else []),
        "portal.identity.drf.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "portal.identity.drf.TokenScopePermission",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.bodies.LimitedJson"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "portal.lists.Pages",
    "DEFAULT_FILTER_BACKENDS": ["portal.lists.Filters"],
    "DEFAULT_THROTTLE_CLASSES": ["portal.throttle.PerToken"],
    "EXCEPTION_HANDLER": "portal.http.error_response",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
API_READS_PER_MINUTE, API_WRITES_PER_MINUTE = (
    env.API_READS_PER_MINUTE,
    env.API_WRITES_PER_MINUTE,
)  # of a token
SPECTACULAR_SETTINGS = {
    "TITLE": "Groundwork API",
    "DESCRIPTION": "Self-service infrastructure: the same rules as the portal, for automation.",
    # The first number is that of the address. The second grows with what is new, the third with what is put right.
    "VERSION": "1.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "portal.openapi.describe_refusals",
    ],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
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
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(request_id)s %(name)s: %(message)s"}},
    "filters": {"request_id": {"()": "portal.logs.WithRequestId"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]},
    },
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
WEBHOOKS_PRIVATE = env.WEBHOOKS_PRIVATE
# Who a run in GitHub Actions is: consumer/identity.py. Off without a repository.
GITHUB_REPOSITORY_ID, GITHUB_WORKFLOW = env.GITHUB_REPOSITORY_ID, env.GITHUB_WORKFLOW
GITHUB_AUDIENCE, GITHUB_ISSUER = env.GITHUB_AUDIENCE, env.GITHUB_ISSUER.rstrip("/")
GITHUB_KEYS_EVERY = env.GITHUB_KEYS_EVERY

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
    "prices": {
        "BACKEND": "portal.adapters.embedded.prices.PriceFile",
        "OPTIONS": {"file": BASE_DIR / "billing_app" / "prices.json"},
    },
    "probe": {
        "BACKEND": "portal.adapters.embedded.probe.LocalProbe",
        "OPTIONS": {"terraform": env.TERRAFORM, "folder": DATA_DIR / "probes"},
    },
}
PORTS = {"embedded": EMBEDDED}[env.BACKENDS]
if env.PRICES_URL:  # the price list is public, whatever else is embedded
    RETAIL = {
        "BACKEND": "portal.adapters.retail_prices.RetailPrices",
        "OPTIONS": {"url": env.PRICES_URL},
    }
    PORTS = {**PORTS, "prices": RETAIL}
