from io import StringIO

from django.conf import settings
from django.core.management import call_command


def test_the_openapi_file_is_what_the_api_offers():
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)

    written = (settings.BASE_DIR / "docs" / "openapi.yaml").read_text()
    assert written == out.getvalue(), "write it again: manage.py spectacular --file docs/openapi.yaml"
