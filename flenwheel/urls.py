from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from flenwheel import account
from flenwheel.health import health
from flenwheel.login import Login, admin_login
from flenwheel.login_link import login_link

urlpatterns = [
    path("admin/login/", admin_login, name="admin_login"),
    path("admin/", admin.site.urls),
    path("health/", health, name="health"),
    path("login/", Login.as_view(), name="login"),
    path("login/<str:token>/", login_link, name="login_link"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("account/", account.account, name="account"),
    path("account/name/", account.change_name, name="change_name"),
    path("account/email/", account.change_email, name="change_email"),
    path("account/password/", account.change_password, name="change_password"),
    path("account/elsewhere/", account.log_out_elsewhere, name="log_out_elsewhere"),
    path("", include("curation.urls")),
    path("", include("training.urls")),
]
