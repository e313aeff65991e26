"""The portal's own settings, with static files that need no collecting and passwords that cost little."""

from portal.settings import *  # noqa: F403
from portal.settings import STORAGES as STORED

STORAGES = {**STORED, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
