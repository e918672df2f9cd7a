"""The client of the event bus."""

from _twoam import service_wait

__all__ = ["BrokerUnavailable", "EventsError", "PublishTimeout", "publish"]


class EventsError(Exception):
    """The bus did not do what was asked; `body` is what it said."""

    def __init__(self, message="", body=None):
        super().__init__(message)
        self.body = body


class BrokerUnavailable(EventsError):
    """No broker could be reached: nothing was published."""


class PublishTimeout(EventsError):
    """No acknowledgement came in time. The event may be there, or not."""


async def publish(topic, payload, *, key=None, event_id=None):
    """Appends an event and waits for the acknowledgement. `event_id` lets consumers see that two are one."""
    return await service_wait(
        "events", "publish", {"topic": topic, "payload": payload, "key": key, "event_id": event_id}
    )
