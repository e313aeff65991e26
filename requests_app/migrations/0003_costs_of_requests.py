from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("requests_app", "0002_lifetime_and_upgrades")]

    operations = [
        migrations.AddField(
            model_name="servicerequest",
            name="cost_before",
            field=models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=12),
        ),
        migrations.AddField(
            model_name="servicerequest",
            name="half_done_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
