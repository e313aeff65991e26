"""What a run does, from the claim to its end, with real Terraform on the real modules."""

from tests.worker.conftest import World


def test_a_database_is_created_changed_and_destroyed(world: World) -> None:
    outputs = ["id", "name", "fqdn"]

    created = world.run(world.request("postgresql", outputs=outputs))
    changed = world.run(
        world.request("postgresql", outputs=outputs, kind="update", values={"storage_gb": 64})
    )
    destroyed = world.run(world.request("postgresql", outputs=outputs, kind="destroy"))

    assert created.finish["outcome"] == "succeeded", created.run.log
    assert created.finish["outputs"]["fqdn"] == "psql-shop-dev-001.postgres.database.azure.com"
    assert "Plan: 3 to add, 0 to change, 0 to destroy." in created.run.log
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in changed.run.log
    assert destroyed.finish["outcome"] == "succeeded", destroyed.run.log
    assert world.resources == []
