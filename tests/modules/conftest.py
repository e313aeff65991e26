import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from catalog_app import services as catalog
from catalog_app.models import ItemVersion
from consumer.worker import checks, root
from consumer.worker.claim import Claim
from consumer.worker.stop import Stop
from consumer.worker.terraform import Result, Terraform, read_json
from portal.identity.models import BusinessUnit, User
from requests_app import proposal
from terraform.sandbox.attach import Attachment, attached
from terraform.sandbox.store import Store
from tests.catalog.conftest import MODULES, read_versions
from tests.conftest import ENTRA_ADMIN
from tests.modules.examples import NAME

ENVIRONMENT, REGION, GROUP, SUFFIX = "staging", "northeurope", "rg-payments-stg-001", "a1b2"
LOCAL_STATE = {"terraform": {"backend": {"local": {}}}}  # in place of the portal's
Actions = dict[str, str]  # what Terraform does with a resource, by address


class Azure:
    """A pretend Azure, and the provider process that all modules share."""

    def __init__(self, store: Store, attachment: Attachment):
        self.store, self.attachment = store, attachment

    def resources(self) -> list[str]:
        """Ids of all that was made."""
        return [key for key in self.store.read()["resources"] if not key.endswith(f"/{GROUP}")]

    def clear(self) -> None:
        """What a failed test left behind must not fail the next one."""
        left = self.resources()
        with self.store.edit() as document:
            for key in left:
                del document["resources"][key]


class Stack:
    """One deployment of an item, rendered and run as by a worker."""

    def __init__(self, version: ItemVersion, folder: Path, azure: Azure):
        self.version, self.folder, self.azure = version, folder, azure
        self.asked: dict[str, Any] = {"name": NAME} if "name" in version.parsed.asked else {}
        self.tags = proposal.tags(
            BusinessUnit(slug="payments", cost_center="CC-1001"),
            ENVIRONMENT,
            NAME,
            owner=User(username="anna"),
            request="REQ-7",
        )

    def apply(self, asked: Mapping[str, Any]) -> Actions:
        """Change what is asked for, and apply it."""
        self.asked.update(asked)
        is_new = not (self.folder / root.ROOT).exists()
        self._write()
        if is_new:
            self._run("init", "-input=false")
        return self._changes("apply")

    def refusal(self, asked: Mapping[str, Any]) -> str:
        """Why a worker would not apply this change; empty where it would."""
        self.asked.update(asked)
        self._write()
        self._run("plan", "-input=false", "-out=plan.tfplan")
        plan = read_json(self._run("show", "-json", "plan.tfplan"))
        return checks.refusal(checks.changes(plan), kind="update", allow_replace=False)

    def destroy(self) -> Actions:
        return self._changes("destroy")

    def is_clean(self) -> bool:
        """Whether a plan finds nothing to change."""
        result = self._terraform().run("plan", "-input=false", "-detailed-exitcode")
        assert result.code in (0, 2), result.errors
        return result.code == 0

    def values(self) -> dict[str, Any]:
        parameters = catalog.validate(self.version, self.asked, environment=ENVIRONMENT, region=REGION)
        facts = {
            "environment": ENVIRONMENT,
            "region": REGION,
            "business_unit": "payments",
            "cost_center": "CC-1001",
            "requester": "anna",
            "name": NAME,
            "tags": self.tags,
            "unique_suffix": SUFFIX,
        }
        base = {"resource_group_name": GROUP, "entra_admin": ENTRA_ADMIN}
        return catalog.inject(self.version, parameters, request=facts, base=base)

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads((self.folder / "terraform.tfstate").read_text())
        return state

    def resources(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(type, values) of everything that is there."""
        for resource in self.state()["resources"]:
            if resource["mode"] == "managed":
                yield from ((resource["type"], instance["attributes"]) for instance in resource["instances"])

    def _write(self) -> None:
        answer = {
            "key": "7-a1",
            "kind": "create",
            "item": self.version.item.slug,
            "version": self.version.version,
            "digest": self.version.digest,
            "files": self.version.files,
            "values": self.values(),
            "sensitive": [],
            "outputs": [output.name for output in self.version.parsed.outputs],
            "allow_replace": False,
            "state": dict.fromkeys(("address", "lock_address", "unlock_address"), "unused"),
            "base_groups": [],
            "heartbeat_seconds": 5,
            "deadline_seconds": 600,
        }
        claim = Claim.read(answer)
        claim.verify()
        root.write(self.folder, claim)
        (self.folder / "backend_override.tf.json").write_text(json.dumps(LOCAL_STATE))

    def _changes(self, command: str) -> Actions:
        events: list[dict[str, Any]] = []
        self._run(command, "-input=false", "-auto-approve", "-json", on_event=events.append)
        changes = [event["change"] for event in events if event.get("type") == "planned_change"]
        return {root.short(change["resource"]["addr"]): change["action"] for change in changes}

    def _run(self, *arguments: str, on_event: Callable[[dict[str, Any]], None] | None = None) -> Result:
        result = self._terraform().run(*arguments, on_event=on_event)
        assert result.code == 0, result.diagnostics or result.errors
        return result

    def _terraform(self) -> Terraform:
        attachment = self.azure.attachment
        return Terraform(
            "embedded", self.folder, attachment.environment, Stop(), keep_alive=attachment.keep_alive
        )


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azure]:
    store = Store(tmp_path_factory.mktemp("azure") / "azure.json")
    with attached(store.path, groups=[(GROUP, REGION)]) as attachment:
        yield Azure(store, attachment)


@pytest.fixture(scope="session")
def versions() -> dict[str, ItemVersion]:
    return read_versions(MODULES)


@pytest.fixture
def stack(versions: dict[str, ItemVersion], azure: Azure, tmp_path: Path) -> Iterator[Callable[[str], Stack]]:
    def make(item: str) -> Stack:
        folder = tmp_path / item
        folder.mkdir()
        return Stack(versions[item], folder, azure)

    yield make
    azure.clear()
