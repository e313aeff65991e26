"""The rules, for everybody to read."""

import pytest
from django.conf import settings as project

from catalog_app.rules import read_rules


@pytest.fixture
def page_for(client_for):
    return lambda user: client_for(user).get("/policies/").content.decode()


def test_every_rule_is_told_in_plain_words(people, page_for):
    page = page_for(people.carol)

    for rule in read_rules(project.POLICY_FOLDER).rules:
        told = rule.text.mode == "enforce"
        assert (f'id="{rule.text.id}"' in page) is told
        assert (rule.text.title in page) is told
    assert "<var>region</var> is not allowed in <var>environment</var>." in page
    assert "in characters that Azure takes: business-unit, cost-center." in page  # the same for every request
    assert "{" not in page.split("<main")[1].split("</main>")[0]


def test_effect_stage_hint_and_version_are_there(people, page_for, rules):
    rules("first", more="from: bu_admin", effect="require_approval")
    rules("second", stage="plan")

    page = page_for(people.anna)

    for text in ("An admin decides", "Not allowed", "When you ask", "Before anything is built", "version 3"):
        assert text in page
    assert page.count("Do something else.") == 2


def test_rules_that_are_tried_out_are_for_the_platform_team(people, page_for, rules):
    rules(mode="dry_run")

    assert "The rule own" not in page_for(people.anna)
    assert "The rule own" in page_for(people.olga)
    assert "Tried out" in page_for(people.olga)


def test_rules_that_cannot_be_read_are_said_to_be_so(people, page_for, settings, tmp_path):
    settings.POLICY_FOLDER = tmp_path

    assert "The rules cannot be read, so nothing can be asked for now." in page_for(people.anna)


def test_words_of_a_rule_are_text_and_no_markup(people, page_for, rules):
    rules(message="<script>alert(1)</script>")

    assert "<script>alert(1)" not in page_for(people.anna)


def test_nobody_reads_them_without_signing_in(client, db):
    assert client.get("/policies/").status_code == 302
