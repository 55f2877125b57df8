"""Accounts in the back office: what the trail has to rely on is not offered for change."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_an_account_keeps_the_name_that_trails_know_it_by(client):
    client.force_login(UserFactory(username="ada", is_superuser=True))
    rob = UserFactory(username="rob")
    address = reverse("admin:auth_user_change", args=[rob.pk])
    form = client.get(address).context["adminform"].form
    given = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    joined = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    kept = {name: value for name, value in given.items() if value not in (None, [])}

    answer = client.post(address, {**kept, **joined, "username": "mallory", "last_name": "Roberts"})

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert User.objects.get(pk=rob.pk).username == "rob"
    assert User.objects.get(pk=rob.pk).last_name == "Roberts"


def test_a_new_account_is_given_its_name(client):
    client.force_login(UserFactory(username="ada", is_superuser=True))
    word = "correct horse battery staple"

    answer = client.post(
        reverse("admin:auth_user_add"),
        {
            "username": "rosa",
            "usable_password": "true",
            "password1": word,
            "password2": word,
        },
    )

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert User.objects.filter(username="rosa").exists()


def test_an_account_is_switched_off_and_never_deleted(client):
    client.force_login(UserFactory(username="ada", is_superuser=True))
    rob = UserFactory(username="rob")

    page = client.get(reverse("admin:auth_user_delete", args=[rob.pk]))
    client.post(
        reverse("admin:auth_user_changelist"),
        {"action": "delete_selected", "_selected_action": [rob.pk], "post": "yes"},
    )

    assert page.status_code == 403
    assert User.objects.filter(username="rob").exists()
