"""One's own account: the name that others read, the password, and where one is logged in."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from flenwheel.http import MemberRequest


class NameForm(forms.ModelForm[User]):
    first_name = forms.CharField(max_length=40, required=False)

    class Meta:
        model = User
        fields = ("first_name",)


class EmailForm(forms.ModelForm[User]):
    class Meta:
        model = User
        fields = ("email",)


@login_required
@require_GET
def account(request: MemberRequest) -> HttpResponse:
    return _page(request)


def _page(request: MemberRequest, **refused: forms.BaseForm) -> HttpResponse:
    context = {
        "name": NameForm(instance=request.user),
        "email": EmailForm(instance=request.user),
        "password": _password_form(request.user),
        "sends_mail": settings.SENDS_MAIL,
    }
    status = 422 if refused else 200
    return render(request, "flenwheel/account.html", context | refused, status=status)


def _password_form(user: User, data: QueryDict | None = None) -> SetPasswordForm[User]:
    """Whoever only ever came by a one-time link has no old password to tell."""
    form = PasswordChangeForm if user.has_usable_password() else SetPasswordForm
    return form(user, data)


@login_required
@require_POST
def change_name(request: MemberRequest) -> HttpResponse:
    form = NameForm(request.POST, instance=User.objects.get(pk=request.user.pk))
    if not form.is_valid():
        return _page(request, name=form)
    form.save()
    messages.success(request, "Others now read this name.")
    return redirect("account")


@login_required
@require_POST
def change_email(request: MemberRequest) -> HttpResponse:
    form = EmailForm(request.POST, instance=User.objects.get(pk=request.user.pk))
    if not form.is_valid():
        return _page(request, email=form)
    form.save()
    messages.success(request, "Your address is saved.")
    return redirect("account")


@sensitive_post_parameters()
@login_required
@require_POST
def change_password(request: MemberRequest) -> HttpResponse:
    """Everywhere else this person is logged out by it; here they stay."""
    form = _password_form(request.user, request.POST)
    if not form.is_valid():
        return _page(request, password=form)
    update_session_auth_hash(request, form.save())
    messages.success(request, "Your password is changed. Other browsers have to log in again.")
    return redirect("account")


@login_required
@require_POST
def log_out_elsewhere(request: MemberRequest) -> HttpResponse:
    """Sessions say whose they are only when opened, so each that is alive is."""
    others = Session.objects.filter(expire_date__gt=timezone.now())
    others = others.exclude(session_key=request.session.session_key)
    mine = [
        session.session_key
        for session in others.iterator()
        if session.get_decoded().get(SESSION_KEY) == str(request.user.pk)
    ]
    Session.objects.filter(session_key__in=mine).delete()
    messages.success(request, "You are logged in here only.")
    return redirect("account")
