"""The whole tenant: its tables, people and clients are made when the process starts."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.peers.entra.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402

from tests.peers.entra import directory  # noqa: E402

call_command("migrate", run_syncdb=True, verbosity=0)
directory.fill_people()
directory.make_clients()
application = get_wsgi_application()
