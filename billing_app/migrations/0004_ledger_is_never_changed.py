"""
The database itself refuses to change a line of the ledger, and PostgreSQL also to delete one.

SQLite deletes lines when tests clear their tables, and there is no other way to clear them.
"""

from typing import Any

from django.db import migrations

REFUSAL = "a line of the ledger is never changed: write a correction"
POSTGRESQL = [
    f"""
    CREATE FUNCTION billing_app_refuse() RETURNS trigger AS $$
    BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END
    $$ LANGUAGE plpgsql
    """,
    """
    CREATE TRIGGER transfer_is_never_changed BEFORE UPDATE OR DELETE ON billing_app_transfer
    FOR EACH ROW EXECUTE FUNCTION billing_app_refuse()
    """,
]
SQLITE = [
    f"""
    CREATE TRIGGER transfer_is_never_changed BEFORE UPDATE ON billing_app_transfer
    BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
    """,
]


def add(apps: Any, editor: Any) -> None:
    for statement in POSTGRESQL if editor.connection.vendor == "postgresql" else SQLITE:
        editor.execute(statement)


def remove(apps: Any, editor: Any) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute("DROP TRIGGER transfer_is_never_changed ON billing_app_transfer")
        editor.execute("DROP FUNCTION billing_app_refuse")
    else:
        editor.execute("DROP TRIGGER transfer_is_never_changed")


class Migration(migrations.Migration):
    dependencies = [("billing_app", "0003_budgets_and_ledger")]

    operations = [migrations.RunPython(add, remove)]
