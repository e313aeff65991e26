import pytest
from requests.adapters import HTTPAdapter

from tests.catalog.conftest import MODULES, read_versions
from tests.parity.edges import InProcess, by_api, by_command, by_page

VERSIONS = read_versions(MODULES)


@pytest.fixture
def edges(people, catalog, client_for, api_for, monkeypatch, settings, tmp_path, capsys):
    """Anna with a browser, a program and a terminal, and nobody who counts her calls."""
    settings.API_READS_PER_MINUTE = settings.API_WRITES_PER_MINUTE = 1_000_000
    api, browser = api_for(people.anna), client_for(people.anna)
    network = InProcess(api_for(people.anna))
    monkeypatch.setattr(HTTPAdapter, "send", network.send)
    monkeypatch.setenv("GROUNDWORK_URL", "http://127.0.0.1")
    monkeypatch.setenv("GROUNDWORK_TOKEN", api._credentials["HTTP_AUTHORIZATION"].removeprefix("Bearer "))
    file = tmp_path / "parameters.json"

    class Edges:
        def api(self, wanted):
            return by_api(api, wanted)

        def command(self, wanted):
            return by_command(wanted, VERSIONS[wanted["item"]], file, capsys)

        def page(self, wanted):
            return by_page(browser, wanted, VERSIONS[wanted["item"]], people.anna)

    return Edges()
