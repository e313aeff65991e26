from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from requests_app import services
from requests_app.models import ServiceRequest

REQUESTS = "/api/v1/requests/"


@pytest.fixture
def anna(people: Any, catalog: None, api_for: Callable[..., APIClient]) -> APIClient:
    return api_for(people.anna)


@pytest.fixture
def bert(people: Any, api_for: Callable[..., APIClient]) -> APIClient:
    return api_for(people.bert)


@pytest.fixture
def asked(people: Any, catalog: None, postgres_for_staging: dict[str, Any]) -> ServiceRequest:
    """Anna has asked, and nobody has decided."""
    return services.submit(requester=people.anna, **postgres_for_staging)
