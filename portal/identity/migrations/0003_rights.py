"""Nobody grants their own role; accounts of machines, which are never operators."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [
        ("identity", "0002_sign_in"),
    ]

    operations = [
        migrations.CreateModel(
            name="ServiceAccount",
            fields=[],
            options={"proxy": True, "indexes": [], "constraints": []},
            bases=("identity.user",),
        ),
        migrations.AlterModelOptions(
            name="apitoken", options={"ordering": ["-created_at"], "verbose_name": "API token"}
        ),
        migrations.RemoveConstraint(model_name="user", name="entra_accounts_have_ids"),
        migrations.AlterField(
            model_name="membership",
            name="origin",
            field=models.CharField(
                choices=[("manual", "Given in the portal"), ("entra", "Entra ID")],
                default="manual",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="auth_source",
            field=models.CharField(
                choices=[("local", "Local account"), ("entra", "Entra ID"), ("service", "Service account")],
                default="local",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=Q(granted_by__isnull=True) | ~Q(granted_by=F("user")),
                name="nobody_grants_their_own_role",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=~Q(auth_source="entra") | Q(entra_tid__isnull=False, entra_oid__isnull=False),
                name="entra_accounts_have_ids",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=~Q(auth_source="service") | Q(is_staff=False, is_superuser=False),
                name="service_accounts_are_no_operators",
                violation_error_message="A service account cannot be an operator.",
            ),
        ),
    ]
