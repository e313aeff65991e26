from django.contrib.auth import get_user_model

from portal import audit


def test_an_operator_who_is_no_superuser_looks_at_the_trail_and_changes_nothing(people, client_for):
    operator = get_user_model().objects.create_user("omar", is_staff=True)
    event = audit.record("test.done", "THING-1", actor=people.anna, business_unit=people.payments)
    omar = client_for(operator)

    assert b"THING-1" in omar.get("/admin/portal/event/").content
    assert omar.get(f"/admin/portal/event/{event.pk}/change/").status_code == 200
    assert omar.post(f"/admin/portal/event/{event.pk}/change/", {"note": "x"}).status_code == 403
    assert omar.post(f"/admin/portal/event/{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert omar.get("/admin/portal/event/add/").status_code == 403


def test_nobody_else_comes_into_the_admin(people, client_for):
    assert client_for(people.emil).get("/admin/portal/event/").status_code in {302, 403}


def test_a_laptop_shows_no_traceback_either(settings):
    assert settings.LAPTOP
    assert not settings.DEBUG
