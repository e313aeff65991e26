"""How every list of the API is narrowed, ordered and cut into pages."""

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import django_filters.rest_framework as df
from django.core import signing
from django.db.models import Q, QuerySet
from django_filters.utils import translate_validation
from drf_spectacular.utils import extend_schema_field
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from portal.errors import InvalidInput

PER_PAGE, MOST = 25, 100
LIMIT, CURSOR = "limit", "cursor"
KEY = "key"  # the order of rows that are no queryset
FOREIGN_CURSOR = (
    "This is no cursor of this list. Take `next` or `previous` of an answer, and keep the same order."
)


# ── narrowing ───────────────────────────────────────────────────────────────────────────────────────────────


class Filters(df.DjangoFilterBackend):
    """The `filterset_class` of a view, for its lists."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        if getattr(view, "action", "list") != "list":
            return queryset
        return narrow(request, queryset, self.get_filterset_class(view, queryset) or df.FilterSet)


def narrow(request: Request, queryset: QuerySet[Any], shape: type[df.FilterSet]) -> QuerySet[Any]:
    refuse_unknown(request, shape.base_filters)
    filters = shape(request.query_params, queryset, request=request)
    if not filters.is_valid():
        raise translate_validation(filters.errors)
    narrowed: QuerySet[Any] = filters.qs
    return narrowed


def refuse_unknown(request: Request, names: Iterable[str]) -> None:
    """A filter that is not known is a mistake: to leave it out would show too much."""
    known = [*names, LIMIT, CURSOR]
    unknown = sorted(set(request.query_params) - set(known))
    if unknown:
        raise InvalidInput(dict.fromkeys(unknown, f"It is not known here. Known are: {', '.join(known)}."))


def one_of(values: Iterable[str], **options: Any) -> df.ChoiceFilter:
    """A filter for one of these values."""
    return df.ChoiceFilter(**_choices(values), **options)


def some_of(values: Iterable[str], **options: Any) -> df.MultipleChoiceFilter:
    """The same, and given several times it finds what has any of them."""
    return df.MultipleChoiceFilter(**_choices(values), **options)


def yes(**options: Any) -> Any:
    """A filter for what is asked by `true`; `false` asks for nothing."""
    return extend_schema_field(bool)(one_of(["true", "false"], **options))


def order_by(*fields: str) -> df.ChoiceFilter:
    """The order of a list: one of these fields, each also backwards. None of them may be null."""
    names = [sign + field for field in fields for sign in ("", "-")]
    return one_of(names, method=lambda queryset, name, value: queryset.order_by(value))


def _choices(values: Iterable[str]) -> dict[str, Any]:
    choices = [(value, value) for value in values]
    known = f"%(value)s is not known. Choose one of: {', '.join(value for value, _ in choices)}."
    return {"choices": choices, "error_messages": {"invalid_choice": known}}


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Cursor:
    """A place after the row of this value, or before it: rows that come or go do not shift it."""

    order: str
    value: str
    key: str  # the primary key decides between equals
    backwards: bool

    def rows(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those beyond it."""
        field = self.order.lstrip("-")
        beyond = "lt" if self.order.startswith("-") != self.backwards else "gt"
        # Written so that an index on the field alone can begin at the right place.
        reached, passed = Q(**{f"{field}__{beyond}e": self.value}), Q(**{f"{field}__{beyond}": self.value})
        return queryset.filter(reached & (passed | Q(**{f"pk__{beyond}": self.key})))


class Pages(BasePagination):
    """
    Pages by cursor, over a queryset that is ordered by one field, never null; or over any other rows by the text that
    `page_key` of the view makes of each.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.url = request.build_absolute_uri()
        self.key_of: Any = getattr(view, "page_key", None)
        self.order = KEY if self.key_of else queryset.query.order_by[0]
        limit, cursor = _limit(request), self._cursor(request)
        backwards = cursor is not None and cursor.backwards
        rows = (self._of_any if self.key_of else self._of_queryset)(queryset, cursor, backwards, limit + 1)
        there_is_more, rows = len(rows) > limit, rows[:limit]
        if backwards:
            rows.reverse()
        self.next = self._link(rows[-1], False) if rows and (backwards or there_is_more) else None
        begins_late = there_is_more if backwards else cursor
        self.previous = self._link(rows[0], True) if rows and begins_late else None
        return rows

    def _of_queryset(
        self, found: QuerySet[Any], cursor: Cursor | None, backwards: bool, most: int
    ) -> list[Any]:
        field, descending = self.order.lstrip("-"), self.order.startswith("-") != backwards
        sign = "-" if descending else ""
        rows = cursor.rows(found) if cursor else found
        return list(rows.order_by(f"{sign}{field}", f"{sign}pk")[:most])

    def _of_any(self, found: Iterable[Any], cursor: Cursor | None, backwards: bool, most: int) -> list[Any]:
        rows = sorted(found, key=self.key_of, reverse=backwards)
        if cursor:
            is_beyond = operator.lt if backwards else operator.gt
            rows = [row for row in rows if is_beyond(self.key_of(row), cursor.value)]
        return rows[:most]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next, "previous": self.previous, "results": data})

    def _cursor(self, request: Request) -> Cursor | None:
        given = request.query_params.get(CURSOR)
        if not given:
            return None
        try:
            cursor = Cursor(*signing.loads(given, salt=__name__))
        except (signing.BadSignature, ValueError, TypeError) as error:
            raise InvalidInput({CURSOR: FOREIGN_CURSOR}) from error
        if cursor.order != self.order:
            raise InvalidInput({CURSOR: FOREIGN_CURSOR})
        return cursor

    def _link(self, row: Any, backwards: bool) -> str:
        """The address of the page that begins at the row."""
        if self.key_of:
            place = [self.key_of(row), ""]
        else:
            value: Any = reduce(getattr, self.order.lstrip("-").split("__"), row)
            place = [value.isoformat() if hasattr(value, "isoformat") else str(value), str(row.pk)]
        cursor = signing.dumps([self.order, *place, backwards], salt=__name__)
        return replace_query_param(self.url, CURSOR, cursor)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**link, "description": "The page after this one; null on the last."},
                "previous": {**link, "description": "The page before this one; null on the first."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": MOST, "default": PER_PAGE}
        opaque = "Where the page begins: from `next` or `previous` of an answer."
        return [
            {"name": LIMIT, "in": "query", "schema": size, "description": "Results on a page."},
            {"name": CURSOR, "in": "query", "schema": {"type": "string"}, "description": opaque},
        ]


def _limit(request: Request) -> int:
    given = request.query_params.get(LIMIT) or str(PER_PAGE)
    if not (given.isascii() and given.isdecimal() and len(given) < 9 and 0 < int(given) <= MOST):
        raise InvalidInput({LIMIT: f"Give a whole number from 1 to {MOST}."})
    return int(given)
