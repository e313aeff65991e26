from django.urls import path

from consumer import api

urlpatterns = [
    path("runs/<str:key>/claim", api.claim),
    path("runs/<str:key>/entries", api.entries),
    path("runs/<str:key>/plan", api.plan),
    path("runs/<str:key>/finish", api.finish),
    path("runs/<str:key>/state", api.State.as_view()),
]
