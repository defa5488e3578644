"""Logging in and out with a browser."""

from django.contrib import messages
from django.contrib.auth import views
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from apps.accounts.forms import LoginForm
from apps.accounts.marks import forget_login


class LoginView(views.LoginView):
    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True


class LogoutView(views.LogoutView):
    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        with transaction.atomic():  # whoever hears of the logout finds the session gone
            response = super().post(request, *args, **kwargs)
        forget_login(response)
        messages.success(request, "You are logged out.")
        return response
