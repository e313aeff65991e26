"""docs/policies.md says what is so."""

import re

from django.conf import settings

from catalog_app.expressions import FUNCTIONS, MAX_LENGTH
from catalog_app.grammar import MACROS, MOST_BRACKETS
from catalog_app.rules import FACTS, PARTS, failing_examples, read_rules

GUIDE = (settings.BASE_DIR / "docs" / "policies.md").read_text()


def test_the_rule_in_the_guide_works(tmp_path):
    (tmp_path / "guide.yaml").write_text(re.search(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)[1])

    (rule,) = read_rules(tmp_path).rules

    assert rule.text.title == "Production has sizes that are always there"
    assert failing_examples(tmp_path) == []


def test_every_fact_is_explained():
    told = set(re.findall(r"`(\w+)`", GUIDE.split("## What a rule knows")[1].split("## The language")[0]))

    assert {*FACTS, *(name for names in PARTS.values() for name in names)} <= told


def test_functions_and_limits_are_named():
    language = GUIDE.split("## The language")[1].split("## Write")[0]

    for name in (FUNCTIONS | MACROS) - {"double", "int", "exists_one", "existsOne", "endsWith"}:
        assert name in language
    assert f"{MAX_LENGTH:,} characters, {MOST_BRACKETS} brackets" in language
