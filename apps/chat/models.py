"""Sessions, who is in them, and what was said."""

from uuid import uuid4

from django.conf import settings
from django.db import models

from apps.events import wire


class ChatSession(models.Model):
    """A conversation between some members of a team."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="chat_sessions")
    title = models.CharField(max_length=200)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=wire.now, editable=False)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="SessionMember", related_name="chat_sessions")

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return self.title


class SessionMember(models.Model):
    """A person in a session. Whoever leaves the team is out of its sessions too, whatever is written here."""

    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    joined_at = models.DateTimeField(default=wire.now, editable=False)

    class Meta:
        ordering = ("joined_at", "id")
        constraints = (models.UniqueConstraint(fields=("session", "user"), name="one_membership_per_session"),)

    def __str__(self) -> str:
        return f"{self.user} in {self.session}"


class Message(models.Model):
    """What somebody said in a session."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="messages")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    author_name = models.CharField(max_length=200, help_text="As people saw it then.")
    content = models.TextField()
    created_at = models.DateTimeField(default=wire.now, editable=False)
    seq = models.BigIntegerField(editable=False, help_text="Its place in the session: where its event lies.")

    class Meta:
        ordering = ("seq",)
        indexes = (models.Index(fields=("session", "seq"), name="messages_in_order"),)

    def __str__(self) -> str:
        return f"{self.author_name}: {self.content[:60]}"
