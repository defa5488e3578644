"""What happens with notices: they are sent."""

from apps.accounts.actors import Actor
from apps.events import log
from apps.events.dispatch import handles
from apps.events.models import StoredEvent
from apps.notices.contract import Broadcast, Notify, PersonNotified, SystemAnnounced, SystemTopic, UserTopic
from apps.notices.models import Notice


@handles(Broadcast)
def broadcast(actor: Actor, topic: SystemTopic, frame: Broadcast) -> StoredEvent:
    """Tell everybody."""
    return send(actor, Notice(message=frame.message, level=frame.level.value, link=frame.link or ""))


@handles(Notify)
def notify(actor: Actor, topic: UserTopic, frame: Notify) -> StoredEvent:
    """Tell one person."""
    notice = Notice(recipient_id=topic.user_id, message=frame.message, level=frame.level.value, link=frame.link or "")
    return send(actor, notice)


def send(actor: Actor, notice: Notice) -> StoredEvent:
    """Keep a new notice, signed, and tell whom it is for. Who calls it has checked its words and the actor."""
    notice.sent_by, notice.sender_name = actor.user, actor.name
    if notice.recipient is None:
        notice.save(force_insert=True)
        return log.append(SystemTopic(), SystemAnnounced.of(notice))
    notice.recipient_name = notice.recipient.display_name
    notice.save(force_insert=True)
    return log.append(UserTopic(user_id=notice.recipient.pk), PersonNotified.of(notice))
