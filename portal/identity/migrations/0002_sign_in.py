import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("identity", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="one_time_until",
            field=models.DateTimeField(blank=True, null=True, verbose_name="one-time password until"),
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(
                        max_length=40, primary_key=True, serialize=False, verbose_name="session key"
                    ),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("started_at", models.DateTimeField(null=True)),
                ("address", models.GenericIPAddressField(null=True)),
                ("agent", models.CharField(blank=True, max_length=200)),
                ("entra_sid", models.CharField(blank=True, db_index=True, max_length=120)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"verbose_name": "session"},
        ),
        migrations.AlterConstraint(
            model_name="entramapping",
            name="mapping_has_one_source",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("app_role", ""), ("group_oid__isnull", False)),
                    models.Q(("group_oid__isnull", True), models.Q(("app_role", ""), _negated=True)),
                    _connector="OR",
                ),
                name="mapping_has_one_source",
                violation_error_message="Give the object id of a group, or the value of an app role; not both.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="entramapping",
            name="mapping_unit_has_role",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("business_unit__isnull", True), ("role", "")),
                    models.Q(("business_unit__isnull", False), models.Q(("role", ""), _negated=True)),
                    _connector="OR",
                ),
                name="mapping_unit_has_role",
                violation_error_message="A business unit and a role belong together: give both or none.",
            ),
        ),
    ]
