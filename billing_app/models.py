from django.db import models
from django.db.models import Q

GLOBAL = "Global"  # the region of prices that are the same everywhere


class Price(models.Model):
    """What one unit of a meter costs in a region, from a quantity on. Written by the sync of the prices."""

    key = models.CharField(max_length=80)  # as in the meters of item.yaml: psql.storage
    region = models.CharField(max_length=40)
    # As in the retail price list: 1 Hour, 1/Day, 1 GB/Month, 10K. One meter may have other units elsewhere.
    unit = models.CharField(max_length=20)
    tier_minimum = models.DecimalField(max_digits=18, decimal_places=4, default=0)  # in these units
    price = models.DecimalField(max_digits=18, decimal_places=8)
    currency = models.CharField(max_length=3)
    meter = models.CharField(max_length=200)  # product / sku / meter, as in the price list
    source = models.CharField(max_length=80)
    as_of = models.DateField()

    class Meta:
        ordering = ["key", "region", "currency", "tier_minimum"]
        constraints = [
            models.UniqueConstraint(
                fields=["key", "region", "currency", "tier_minimum"], name="price_is_unique_in_its_tier"
            ),
            models.CheckConstraint(
                condition=Q(price__gte=0, tier_minimum__gte=0), name="price_is_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} in {self.region}"
