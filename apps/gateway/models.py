"""Which processes serve, and who is connected to them: what limits and staff see across processes."""

from typing import ClassVar

from django.conf import settings
from django.db import models

ADDRESS_LENGTH = 64


class ServerProcess(models.Model):
    """One serving process. It is dead when it was not seen for a while."""

    id = models.CharField(primary_key=True, max_length=32)
    host = models.CharField(max_length=200)
    namespace = models.CharField(
        max_length=64, blank=True, db_default="", help_text="Within which `pid` means something."
    )
    pid = models.IntegerField()
    started_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "server processes"

    def __str__(self) -> str:
        return f"{self.host} {self.pid}"


class Connection(models.Model):
    """One live socket."""

    id = models.CharField(primary_key=True, max_length=32)
    process = models.ForeignKey(ServerProcess, on_delete=models.CASCADE, related_name="connections")
    sender = models.CharField(max_length=90, db_index=True)
    name = models.CharField(max_length=200)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    address = models.CharField(max_length=ADDRESS_LENGTH, blank=True)
    client = models.CharField(max_length=200, blank=True)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-since"]

    def __str__(self) -> str:
        return f"{self.name} from {self.address}"
