"""The page, the API and the command line say the same to the same request: 500 of them, the same in every run."""

from collections import Counter

from hypothesis import strategies as st

from catalog_app import services as catalog
from tests.catalog.making import made_by, sendable, values
from tests.parity.conftest import VERSIONS
from tests.parity.edges import on_page, typable

REQUESTS, UNTYPABLE = 500, 150
# Mostly right, so that the other fields are judged as well.
NAMES = st.sampled_from(
    [*["orders"] * 40, "", "No Good", "x", "a--b", "name-too-long-for-it", "äbc", "${var.x}", "1ab"]
)
UNITS = st.sampled_from([*["payments"] * 30, "retail", "nowhere", ""])
ENVIRONMENTS = st.sampled_from([*["dev", "staging", "prod"] * 10, "lab", ""])
REGIONS = st.sampled_from([*["northeurope"] * 30, "germanywestcentral", "uksouth", "mars", ""])
STRANGE = st.dictionaries(
    st.sampled_from(["colour", "skuu", "tags", "environment", "instance", "admin"]),
    st.just("red"),
    max_size=1,
)


def requests_for(slug, *, all_typable):
    version = VERSIONS[slug]
    parameters = {}
    for section in catalog.form_fields(version):
        for spec in section.fields:
            good, any_ = values(spec.schema), sendable(spec.schema)
            if all_typable:
                good, any_ = (
                    each.filter(lambda value, spec=spec: typable(spec, value)) for each in (good, any_)
                )
            parameters[spec.name] = st.sampled_from([good, good, any_]).flatmap(lambda made: made)
    del parameters["name"]
    given = st.fixed_dictionaries({}, optional=parameters)
    return st.fixed_dictionaries(
        {
            "item": st.just(slug),
            "name": NAMES,
            "business_unit": UNITS,
            "environment": ENVIRONMENTS,
            "region": REGIONS,
            "parameters": st.tuples(given, st.sampled_from([{}, {}, {}]) | STRANGE).map(
                lambda both: {**both[0], **both[1]}
            ),
        }
    )


def anything(*, all_typable):
    slugs = [requests_for(slug, all_typable=all_typable) for slug in sorted(VERSIONS)]
    return st.sampled_from(slugs).flatmap(lambda made: made)


def test_the_three_edges_give_the_same_verdict(edges):
    wrong, outcomes, fields = [], Counter(), Counter()
    for wanted in made_by(anything(all_typable=True), REQUESTS):
        by_api, by_command = edges.api(wanted), edges.command(wanted)
        by_page, form = edges.page(wanted)
        if not (by_api == by_command and on_page(by_api, form) == by_page):
            wrong.append((wanted, by_api, by_command, by_page))
        outcomes[by_api.outcome] += 1
        fields.update(path.split(".")[0] for path in by_api.problems)

    assert not wrong, "\n\n".join("\n".join(map(str, each)) for each in wrong[:5])
    assert min(outcomes[outcome] for outcome in ("accepted", "refused", "denied")) > 10, outcomes
    assert len(fields) > 25, fields


def test_what_no_form_can_say_gets_the_same_verdict_from_program_and_terminal(edges):
    """Wrong types, null where it is nothing, and whatever else JSON can carry."""
    wrong = []
    for wanted in made_by(anything(all_typable=False), UNTYPABLE):
        by_api, by_command = edges.api(wanted), edges.command(wanted)
        if by_api != by_command:
            wrong.append((wanted, by_api, by_command))

    assert not wrong, "\n\n".join("\n".join(map(str, each)) for each in wrong[:5])
