from django.db import migrations, models
from django.utils.timezone import now


class Migration(migrations.Migration):
    dependencies = [("billing_app", "0001_initial")]

    operations = [
        migrations.AlterModelOptions(
            name="price",
            options={"ordering": ["key", "region", "currency", "tier_minimum", "-valid_from"]},
        ),
        migrations.RemoveConstraint(model_name="price", name="price_is_unique_in_its_tier"),
        migrations.AlterField(
            model_name="price",
            name="price",
            field=models.DecimalField(decimal_places=10, max_digits=20),
        ),
        # The next `sync_prices` fills in what the file says of the rows that are there.
        migrations.AddField(
            model_name="price",
            name="service",
            field=models.CharField(default="", max_length=80),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="price",
            name="meter_id",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name="price",
            name="confidence",
            field=models.CharField(
                choices=[
                    ("live", "Read from the price list by this portal"),
                    ("api", "Copied from the price list by the source"),
                    ("api-inferred-unit", "Copied from the price list by the source, the unit inferred"),
                    ("golden", "Taken from the expected output of another project's tests"),
                ],
                default="api",
                max_length=20,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="price",
            name="valid_from",
            field=models.DateTimeField(default=now),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="price",
            name="valid_to",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="price",
            name="ended",
            field=models.CharField(
                blank=True,
                choices=[
                    ("replaced", "Replaced by another price"),
                    ("vanished", "Gone from the price list"),
                    ("removed", "Gone from the price file"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.UniqueConstraint(
                condition=models.Q(("valid_to__isnull", True)),
                fields=("key", "region", "currency", "tier_minimum"),
                name="price_is_unique_in_its_tier",
            ),
        ),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended", ""), ("valid_to__isnull", True)),
                    models.Q(
                        ("ended__in", ["replaced", "vanished", "removed"]),
                        ("valid_to__gte", models.F("valid_from")),
                    ),
                    _connector="OR",
                ),
                name="price_that_ended_says_why",
            ),
        ),
    ]
