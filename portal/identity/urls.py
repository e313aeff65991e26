"""Sign-in and sign-out, under the names that allauth looks for."""

from allauth.account import views
from django.urls import path

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("signup/", views.signup, name="account_signup"),  # closed: it says so
    path("password/", views.password_change, name="account_change_password"),
]
