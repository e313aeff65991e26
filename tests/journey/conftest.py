from tests.journey.support import running_portal  # noqa: F401 - a fixture
