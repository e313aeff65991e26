import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing_app", "0002_price_history"),
        ("identity", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Budget",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "environment",
                    models.CharField(
                        choices=[("dev", "Development"), ("staging", "Staging"), ("prod", "Production")],
                        max_length=10,
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("currency", models.CharField(max_length=3)),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("warn", "Warn"),
                            ("require_approval", "Ask for an approval"),
                            ("block", "Block"),
                        ],
                        help_text="What happens to a request that goes above it.",
                        max_length=16,
                        verbose_name="above it",
                    ),
                ),
                (
                    "business_unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="budgets",
                        to="identity.businessunit",
                    ),
                ),
            ],
            options={
                "ordering": ["business_unit__name", "environment"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("business_unit", "environment"),
                        name="one_budget_per_environment",
                        violation_error_message="This business unit has a budget for this environment: change that one.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gte", 0)), name="budget_is_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("action__in", ["warn", "require_approval", "block"])),
                        name="budget_action_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Transfer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "environment",
                    models.CharField(
                        choices=[("dev", "Development"), ("staging", "Staging"), ("prod", "Production")],
                        max_length=10,
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("free", "Free"), ("held", "Held"), ("committed", "Committed")],
                        max_length=10,
                    ),
                ),
                (
                    "target",
                    models.CharField(
                        choices=[("free", "Free"), ("held", "Held"), ("committed", "Committed")],
                        max_length=10,
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("currency", models.CharField(max_length=3)),
                ("request", models.BigIntegerField()),
                ("attempt", models.PositiveIntegerField()),
                ("deployment", models.UUIDField()),
                ("name", models.CharField(max_length=40)),
                ("item", models.CharField(max_length=50)),
                ("is_correction", models.BooleanField(default=False)),
                (
                    "business_unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.businessunit",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(
                        fields=["business_unit", "environment", "currency", "source", "target", "amount"],
                        name="transfer_by_budget",
                    ),
                    models.Index(fields=["deployment"], name="transfer_by_deployment"),
                    models.Index(fields=["request"], name="transfer_by_request"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="transfer_moves_something"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("source__in", ["free", "held", "committed"]),
                            ("target__in", ["free", "held", "committed"]),
                            models.Q(("source", models.F("target")), _negated=True),
                        ),
                        name="transfer_has_two_accounts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("environment__in", ["dev", "staging", "prod"])),
                        name="transfer_environment_is_known",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_correction", False)),
                        fields=("request", "attempt", "source", "target"),
                        name="an_attempt_moves_money_once",
                    ),
                ],
            },
        ),
    ]
