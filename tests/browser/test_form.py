"""Fields that depend on each other, while somebody types."""

from playwright.sync_api import expect

NEW = "/catalog/postgresql/request/"


def test_choices_follow_the_other_fields_and_nothing_typed_is_lost(transactional_db, people, catalog, visit):
    visitor = visit(people.anna)
    page = visitor.goto(NEW)
    size, databases = page.get_by_label("Size"), page.get_by_label("Databases")
    small, large = (
        page.locator(f"option[value={value}]") for value in ("B_Standard_B1ms", "GP_Standard_D2ds_v5")
    )
    panel = page.get_by_role("complementary", name="Estimate and rules")

    page.get_by_label("Name").fill("orders")
    page.get_by_role("radio", name="Production").check()
    expect(panel).to_contain_text("B_Standard_B2s cannot be chosen with environment prod")
    expect(small).to_be_disabled()
    expect(large).to_be_enabled()
    expect(size).to_have_value("B_Standard_B2s")

    size.select_option(label="Medium (2 vCPU, 8 GB)")
    databases.press_sequentially("orders\ninvoices", delay=30)  # answers come while it is typed
    expect(page.get_by_text("High availability", exact=True)).to_be_visible()
    expect(page.locator("option[value=B_Standard_B2s]")).to_be_disabled()
    expect(panel).not_to_contain_text("cannot be chosen")
    expect(databases).to_be_focused()
    expect(databases).to_have_value("orders\ninvoices")

    page.get_by_role("radio", name="Development").check()
    expect(small).to_be_enabled()
    expect(size).to_have_value("GP_Standard_D2ds_v5")
    assert visitor.violations() == []


def test_the_form_works_without_a_script(
    transactional_db, people, catalog, visit, browser, client_for, live_server
):
    context = browser.new_context(java_script_enabled=False)
    name, value = next((key, morsel.value) for key, morsel in client_for(people.anna).cookies.items())
    context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
    page = context.new_page()
    page.goto(live_server.url + NEW)

    page.get_by_label("Name").fill("orders")
    page.get_by_label("Size").select_option(label="Medium (2 vCPU, 8 GB)")
    page.get_by_role("radio", name="Production").check()
    expect(page.get_by_text("High availability", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Update the form").click()

    expect(page.get_by_text("High availability", exact=True)).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("orders")
    expect(page.locator("option[value=B_Standard_B2s]")).to_be_disabled()
    context.close()
