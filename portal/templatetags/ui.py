"""What every template can use without loading it: icons, badges, money and ages."""

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.template import RequestContext
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import now
from lucide import IconDoesNotExist
from lucide.templatetags.lucide import lucide

from portal.identity.models import Environment, User
from portal.templatetags.words import ACTIONS, BADGES, ERROR_HEADINGS, KINDS, PAST, REGIONS

register = template.Library()

SYMBOLS = {"EUR": "€", "USD": "$"}
LONGEST_VALUE = 60  # characters
FALLBACK_ICON = "box"  # an item may name an icon that this version of the set does not have


@lru_cache(maxsize=512)
def _icon(name: str, size: int, label: str) -> str:
    attributes = {"role": "img", "aria-label": label} if label else {"aria-hidden": "true"}
    try:
        return lucide(name, size=size, **{"class": "icon"}, **attributes)
    except IconDoesNotExist:
        return lucide(FALLBACK_ICON, size=size, **{"class": "icon"}, **attributes)


@register.simple_tag
def icon(name: str, size: int = 16, label: str = "") -> str:
    """Inline SVG. Decorative unless it has a label."""
    return _icon(str(name), size, str(label))


def icon_exists(name: str) -> bool:
    try:
        lucide(name)
    except IconDoesNotExist:
        return False
    return True


@register.filter
def money(value: Decimal | float | str | None, places: int = 2) -> str:
    amount = Decimal(str(value or 0))
    return f"{'−' if amount < 0 else ''}{SYMBOLS[settings.CURRENCY]}{abs(amount):,.{int(places)}f}"


@register.filter
def more_or_less(value: Decimal) -> str:
    """`$98.33 more`, `$12.00 less`, `the same`: the difference of two amounts."""
    if not value:
        return "the same"
    return f"{money(abs(value))} {'more' if value > 0 else 'less'}"


@register.filter
def a_month(value: Decimal | float | str | None) -> str:
    """A monthly cost in a list: what is not known is not the same as free."""
    if value is None:
        return "Not known"
    return money(value) if Decimal(str(value)) else "No charge"


@register.filter
def initials(user: User) -> str:
    return ((user.first_name[:1] + user.last_name[:1]) or user.username[:2]).upper()


@register.filter
def age(moment: datetime | None) -> str:
    if moment is None:
        return ""
    seconds = int((now() - moment).total_seconds())
    if seconds < 3600:
        return f"{max(1, seconds // 60)} min"
    if seconds < 6 * 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
    if seconds < 86400:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} d"


@register.filter
def age_level(moment: datetime) -> str:
    """Amber after 4 hours, red after 24."""
    hours = (now() - moment).total_seconds() / 3600
    if hours > 24:
        return "late"
    return "soon" if hours > 4 else "ok"


@register.simple_tag
def moment(value: datetime | None, suffix: str = " ago") -> str:
    """How long ago, with the exact time to hover over."""
    if value is None:
        return ""
    exact = f"{value:%-d %b %Y, %H:%M} UTC"
    return format_html(
        '<time datetime="{}" title="{}">{}{}</time>', value.isoformat(), exact, age(value), suffix
    )


@register.simple_tag
def state_badge(state: str) -> SafeString:
    tone, icon_name, words = BADGES.get(state, ("mute", "circle", str(state).capitalize()))
    return format_html('<span class="badge badge-{}">{}{}</span>', tone, icon(icon_name, 14), words)


@register.filter
def environment(value: str) -> str:
    """`Staging` for staging."""
    return Environment(value).label if value in Environment.values else value


@register.simple_tag
def environment_badge(value: str) -> SafeString:
    return format_html('<span class="badge env env-{}">{}</span>', value, environment(value))


@register.filter
def region(value: str) -> str:
    return REGIONS.get(value, value)


@register.simple_tag
def pressed(current: Any, value: Any) -> str:
    return "true" if current == value else "false"


@register.filter
def error_heading(status: int) -> str:
    return ERROR_HEADINGS.get(status, "Something went wrong")


@register.filter
def sentence(text: object) -> str:
    """With a capital letter and a full stop."""
    words = str(text).strip()
    if not words:
        return ""
    return words[0].upper() + words[1:] + ("" if words[-1] in ".!?" else ".")


@register.filter
def own_path(address: str | None, request: HttpRequest) -> str:
    """The path of an address of this portal; the start page for any other."""
    parts = urlsplit(address or "")
    return (
        parts.path + (f"?{parts.query}" if parts.query else "") if parts.netloc == request.get_host() else "/"
    )


@register.filter
def short_value(value: Any) -> str:
    """A value as it would be written, cut short."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


@register.filter
def quantity(value: Decimal) -> str:
    """`1,460`, `0.25`: no zeros that say nothing."""
    return f"{value.normalize():,f}"


@register.filter
def unit_price(value: Decimal) -> str:
    """At least two digits behind the point, and as many as the price has."""
    digits = max(2, -int(value.normalize().as_tuple().exponent))
    return f"{SYMBOLS[settings.CURRENCY]}{value:,.{digits}f}"


@register.filter
def cost_of_request(service_request: Any) -> str:
    """For a list: a removal costs nothing, and an incomplete estimate is a lower bound."""
    if service_request.kind == "destroy":
        return "None"
    if service_request.monthly_cost is None:
        least = service_request.estimate.get("monthly")
        return f"From {money(least)}" if least else "Not known"
    return a_month(service_request.monthly_cost)


@register.filter
def cost_of_deployment(deployment: Any) -> str:
    if deployment.monthly_cost is None and deployment.state in ("new", "destroyed", "abandoned"):
        return "None"
    return a_month(deployment.monthly_cost)


@register.filter
def people(users: Sequence[User]) -> str:
    """`Bert Baker or Olga Olsen`, `Bert Baker, Olga Olsen or 3 others`."""
    names = [str(user) for user in users]
    if len(names) > 3:
        return f"{', '.join(names[:2])} or {len(names) - 2} others"
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


SHORT = 48  # letters of all choices together that are read as one line


@register.filter
def choices_in_words(field: Any) -> SafeString:
    """What a field of an item's form takes."""
    labels = list(field.labels.values()) or [KINDS.get(field.widget, "Text")]
    if len(", ".join(labels)) <= SHORT:
        return format_html("{}", ", ".join(labels))
    return format_html_join(mark_safe("<br>"), "{}", ((label,) for label in labels))


@register.filter
def default_in_words(field: Any) -> str:
    """What a field of an item's form holds when nobody touches it."""
    if isinstance(field.default, bool):
        return "On" if field.default else "Off"
    if field.default in (None, "", [], {}):
        return "None"
    return field.labels.get(str(field.default), str(field.default))


@register.filter
def words(text: str) -> list[str]:
    return text.split()


@register.simple_tag
def sorted_by(sort: str, name: str) -> str:
    """The value of aria-sort."""
    return {name: "ascending", f"-{name}": "descending"}.get(sort, "none")


@register.simple_tag(takes_context=True)
def sort_link(context: RequestContext, sort: str, name: str) -> str:
    """This list in the order of that column; turned round when it is in that order already."""
    query = context["request"].GET.copy()
    query["sort"] = f"-{name}" if sort == name else name
    query.pop("page", None)
    return f"?{query.urlencode()}"


@register.filter
def action_mark(actions: Sequence[str]) -> SafeString:
    """What a plan does with a resource."""
    symbol, tone, label = ACTIONS.get(tuple(actions), ("refresh-cw", "bad", "Replace"))
    return format_html('<span class="{}">{}</span>', tone, icon(symbol, 14, label))


@register.filter
def past_tense(action: str) -> str:
    """`Approved` for request.approve."""
    step = action.rpartition(".")[2]
    return PAST.get(step, step.replace("_", " ").capitalize())


@register.filter
def number_of_request(subject: str) -> int | None:
    """12 for REQ-12."""
    number = subject.removeprefix("REQ-")
    return int(number) if number != subject and number.isdecimal() else None
