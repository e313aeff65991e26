import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog_app.models import Item, ItemVersion
from catalog_app.modules import read_folder

PROJECT = Path(__file__).resolve().parents[2]
MODULES = PROJECT / "terraform" / "modules"


def read_versions(folder: Path) -> dict[str, ItemVersion]:
    """Items by slug, read from their files and saved nowhere: checking values needs no database."""
    return {
        source.manifest.name: ItemVersion(
            item=Item(slug=source.manifest.name),
            version=source.manifest.version,
            digest=source.digest,
            manifest=source.data,
            schema=source.schema,
            server_checks=source.server_checks,
            files=source.files,
        )
        for source in read_folder(folder)
    }


@pytest.fixture(scope="session")
def versions() -> dict[str, ItemVersion]:
    return read_versions(MODULES)


@pytest.fixture
def postgresql(versions: dict[str, ItemVersion]) -> ItemVersion:
    return versions["postgresql"]


@pytest.fixture
def storage(versions: dict[str, ItemVersion]) -> ItemVersion:
    return versions["storage-account"]


@pytest.fixture
def resource_group(versions: dict[str, ItemVersion]) -> ItemVersion:
    return versions["resource-group"]


FEW = ("postgresql", "resource-group", "storage-account")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a few modules, which a test may break."""
    for name in FEW:
        shutil.copytree(MODULES / name, tmp_path / "modules" / name)
    return tmp_path / "modules"


@pytest.fixture
def edit(folder: Path) -> Callable[[str, str, str], None]:
    """Replace a text in a file of the copy, for example in postgresql/item.yaml."""

    def replace(file: str, old: str, new: str) -> None:
        path = folder / file
        text = path.read_text()
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new, 1))

    return replace
