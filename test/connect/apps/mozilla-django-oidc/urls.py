"""The addresses of the project: those of the library, and one for each step of the test."""

import requests
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.template import engines
from django.urls import include, path


def home(request):
    return JsonResponse({"signedIn": request.user.is_authenticated})


def me(request):
    user = request.user
    if not user.is_authenticated:
        return JsonResponse({"signedIn": False})
    session = request.session
    return JsonResponse({"username": user.username, "email": user.email, "idToken": session["oidc_id_token"]})


@login_required
def call(request):
    token = request.session["oidc_access_token"]
    answer = requests.get(settings.API_URL, headers={"authorization": f"Bearer {token}"}, timeout=10)
    return JsonResponse(answer.json(), status=answer.status_code)


def expire(request):
    """What 15 minutes do to the session."""
    request.session["oidc_id_token_expiration"] = 0
    return JsonResponse({})


def leave(request):
    page = engines["django"].from_string(
        '<form method="post" action="{% url "oidc_logout" %}">{% csrf_token %}<button>Leave</button></form>'
    )
    return HttpResponse(page.render({}, request))


urlpatterns = [
    path("", home),
    path("me", me),
    path("call", call),
    path("expire", expire),
    path("leave", leave),
    path("oidc/", include("mozilla_django_oidc.urls")),
]
