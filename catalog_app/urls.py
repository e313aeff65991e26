from django.urls import path

from catalog_app import views

urlpatterns = [
    path("", views.catalog, name="catalog"),
    path("catalog/<slug:slug>/", views.item_page, name="item"),
    path("policies/", views.policies, name="policies"),
]
