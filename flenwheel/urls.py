from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from flenwheel.health import health
from flenwheel.login_link import login_link

urlpatterns = [
    path("admin/", admin.site.urls),
    path("health/", health, name="health"),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("login/<str:token>/", login_link, name="login_link"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("", include("curation.urls")),
    path("", include("training.urls")),
]
