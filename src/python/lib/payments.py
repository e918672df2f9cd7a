"""The client of the payment gateway."""

from _twoam import service_wait

__all__ = [
    "IdempotencyConflict", "PaymentDeclined", "PaymentError", "PaymentTimeout", "PaymentUnavailable", "authorize",
    "capture", "charge", "lookup", "refund", "void",
]


class PaymentError(Exception):
    """The gateway did not do what was asked; `body` is what it said."""

    def __init__(self, message="", body=None):
        super().__init__(message)
        self.body = body


class PaymentDeclined(PaymentError):
    """The bank said no."""


class PaymentTimeout(PaymentError):
    """No answer came in time. The charge may have gone through, or not."""


class PaymentUnavailable(PaymentError):
    """The gateway failed before it did anything."""


class IdempotencyConflict(PaymentError):
    """The idempotency key was used for another charge."""


async def charge(*, amount_cents, card, reference=None, idempotency_key=None):
    """Takes the money at once."""
    return await service_wait(
        "payments",
        "charge",
        {"amount_cents": amount_cents, "card": card, "reference": reference, "idempotency_key": idempotency_key},
    )


async def authorize(*, amount_cents, card, reference=None, idempotency_key=None):
    """Reserves the money; `capture` takes it, `void` lets it go."""
    return await service_wait(
        "payments",
        "authorize",
        {"amount_cents": amount_cents, "card": card, "reference": reference, "idempotency_key": idempotency_key},
    )


async def capture(*, charge_id, idempotency_key=None):
    return await service_wait("payments", "capture", {"charge_id": charge_id, "idempotency_key": idempotency_key})


async def void(*, charge_id):
    return await service_wait("payments", "void", {"charge_id": charge_id})


async def refund(*, charge_id, amount_cents=None, idempotency_key=None):
    return await service_wait(
        "payments",
        "refund",
        {"charge_id": charge_id, "amount_cents": amount_cents, "idempotency_key": idempotency_key},
    )


async def lookup(*, reference):
    """The charges made for `reference`, oldest first."""
    return await service_wait("payments", "lookup", {"reference": reference})
