from catalog_app import services


def fields(version):
    return {field.name: field for section in services.form_fields(version) for field in section.fields}


def test_the_form_has_the_order_and_the_words_of_the_manifest(postgresql):
    form = services.form_fields(postgresql)

    assert [section.title for section in form] == ["Basics", "Reliability", "Network"]
    assert [field.name for field in form[0].fields] == [
        "name",
        "sku",
        "storage_gb",
        "postgres_version",
        "databases",
    ]
    size = form[0].fields[1]
    assert (size.title, size.widget, size.default) == ("Size", "radio", "B_Standard_B2s")
    assert size.labels["GP_Standard_D2ds_v5"] == "Medium (2 vCPU, 8 GB)"
    assert size.help == "Burstable sizes are for development and tests."


def test_words_that_the_manifest_leaves_out_come_from_the_variable(storage):
    days = fields(storage)["access_tier"]

    assert (days.title, days.help) == ("Access tier", "Default tier of blobs.")
    assert list(days.labels) == ["Hot", "Cool"]


def test_each_type_has_its_widget(postgresql):
    assert {name: field.widget for name, field in fields(postgresql).items()} == {
        "name": "text",
        "sku": "radio",
        "storage_gb": "radio",
        "postgres_version": "radio",
        "databases": "list",
        "high_availability": "checkbox",
        "backup_retention_days": "number",
        "private_endpoint": "private_endpoint",
    }


def test_what_must_be_filled_in_is_marked(postgresql):
    assert [name for name, field in fields(postgresql).items() if field.required] == ["name"]
    assert [name for name, field in fields(postgresql).items() if field.nullable] == ["private_endpoint"]


def test_an_object_has_fields_of_its_own_in_their_order(resource_group):
    budget = fields(resource_group)["budget"]

    assert [(field.name, field.required, field.widget) for field in budget.fields] == [
        ("budget.amount", True, "number"),
        ("budget.start_date", True, "text"),
        ("budget.emails", False, "list"),
        ("budget.thresholds", False, "list"),
    ]


def test_limits_are_there_for_the_browser(postgresql):
    schema = fields(postgresql)["backup_retention_days"].schema

    assert (schema["type"], schema["minimum"], schema["maximum"]) == ("integer", 7, 35)
    assert fields(postgresql)["name"].schema["maxLength"] == 12


def test_what_is_injected_is_never_asked(versions):
    for version in versions.values():
        assert not fields(version).keys() & version.parsed.form.inject.keys()
