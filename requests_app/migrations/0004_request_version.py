from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("requests_app", "0003_costs_of_requests")]

    operations = [
        migrations.AddField(
            model_name="servicerequest",
            name="version",
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
    ]
