"""The client of the message queue. It delivers at least once: who receives must delete, and may see a message twice."""

from _twoam import service_wait

__all__ = [
    "QueueError", "QueueTimeout", "QueueUnavailable", "ReceiptExpired", "change_visibility", "delete", "depth", "receive",
    "send", "set_redrive_policy",
]


class QueueError(Exception):
    """The queue did not do what was asked; `body` is what it said."""

    def __init__(self, message="", body=None):
        super().__init__(message)
        self.body = body


class QueueUnavailable(QueueError):
    """The queue could not be reached: nothing happened."""


class QueueTimeout(QueueError):
    """No answer came in time. It may have been done, or not."""


class ReceiptExpired(QueueError):
    """The delivery this receipt belongs to is over."""


async def send(queue, body, *, delay_s=0):
    return await service_wait("queue", "send", {"queue": queue, "body": body, "delay_s": delay_s})


async def receive(queue, *, max_messages=1, visibility_s=None):
    """Up to ten messages, each a dict of id, receipt, body, receive_count. They are hidden for `visibility_s` seconds."""
    return await service_wait(
        "queue", "receive", {"queue": queue, "max_messages": max_messages, "visibility_s": visibility_s}
    )


async def delete(queue, receipt):
    """The message is done. With the receipt of an earlier delivery nothing happens."""
    await service_wait("queue", "delete", {"queue": queue, "receipt": receipt})


async def change_visibility(queue, receipt, *, visibility_s):
    """Hides the message for so many seconds from now."""
    await service_wait(
        "queue", "change_visibility", {"queue": queue, "receipt": receipt, "visibility_s": visibility_s}
    )


async def set_redrive_policy(queue, *, dead_letter_queue, max_receives):
    """A message that was received so often and comes back goes to the dead-letter queue."""
    await service_wait(
        "queue",
        "set_redrive_policy",
        {"queue": queue, "dead_letter_queue": dead_letter_queue, "max_receives": max_receives},
    )


async def depth(queue):
    """How many messages there are, hidden ones included."""
    return await service_wait("queue", "depth", {"queue": queue})
