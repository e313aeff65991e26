from django.urls import path

from billing_app import views

urlpatterns = [path("budgets/", views.budget_list, name="budgets")]
