"""Login, logout, tokens, tickets, teams and API keys."""

from django.urls import path, re_path

from apps.accounts import api, views

urlpatterns = [
    path("login/", views.LoginView.as_view(), name="login"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
    path("api/v1/auth/token/", api.ObtainTokenView.as_view(), name="token"),
    path("api/v1/auth/token/refresh/", api.RefreshTokenView.as_view(), name="token-refresh"),
    path("api/v1/auth/token/blacklist/", api.BlacklistTokenView.as_view(), name="token-blacklist"),
    re_path(r"^api/v1/ws/ticket/?$", api.TicketView.as_view(), name="ws-ticket"),
    path("api/v1/teams/", api.TeamsView.as_view(), name="teams"),
    path("api/v1/teams/<uuid:team_id>/", api.TeamView.as_view(), name="team"),
    path("api/v1/teams/<uuid:team_id>/members/", api.MembersView.as_view(), name="members"),
    path("api/v1/teams/<uuid:team_id>/members/<int:user_id>/", api.MemberView.as_view(), name="member"),
    path("api/v1/api-keys/", api.ApiKeysView.as_view(), name="api-keys"),
    path("api/v1/api-keys/<str:prefix>/", api.ApiKeyView.as_view(), name="api-key"),
    path("api/v1/api-keys/<str:prefix>/revoke/", api.RevokeApiKeyView.as_view(), name="api-key-revoke"),
]
