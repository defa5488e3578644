"""What staff told whom."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone

MESSAGE_LENGTH = 1000
LINK_LENGTH = 500
NAME_LENGTH = 301
"""A first and a last name, and the space between them."""


class Level(models.TextChoices):
    """How much a notice matters."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"


class Notice(models.Model):
    """A message for everybody, or for one person. Once sent it stays as it is."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Left empty: everybody.",
    )
    recipient_name = models.CharField(
        max_length=NAME_LENGTH, blank=True, editable=False, help_text="As people saw it then; empty for everybody."
    )
    level = models.CharField(max_length=10, choices=Level.choices, default=Level.INFO)
    message = models.TextField(max_length=MESSAGE_LENGTH)
    link = models.CharField(
        max_length=LINK_LENGTH, blank=True, help_text="A page of this server, like /tasks/, or an http(s) address."
    )
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    sender_name = models.CharField(max_length=NAME_LENGTH, editable=False, help_text="As people saw it then.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"To {self.audience}: {self.message[:60]}"

    @property
    def is_personal(self) -> bool:
        """Whether it was for one person, who may be gone by now."""
        return self.recipient_id is not None or bool(self.recipient_name)

    @property
    def audience(self) -> str:
        return self.recipient_name if self.is_personal else "everybody"
