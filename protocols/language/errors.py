"""The exception tree of the protocol package.

    ProtocolError
    |-- MessageError        a message cannot be built from this payload, or a payload from this message
    |-- LocalError          this end asked its own exchange for something unlawful: a defect of the caller
    |-- TopicError          (`topics`) a text cannot be one level of a topic
    |-- BrokerUrlError      (`broker_url`) a part of a broker's URL is wrong
    |-- DeniedError         (`mqtt.broker`) the broker's access list forbids it
    `-- LostError           (`mqtt.broker`) the connection to the broker has ended

What a peer sends never raises out of `framing` or `exchange`: a corrupt frame is a `BadFrame` value, and a
well-formed frame with wrong content is answered with a NAK or REFUSED.
"""


class ProtocolError(Exception):
    """Base of every exception raised by `protocols`."""


class MessageError(ProtocolError, ValueError):
    """Payload and message do not fit each other.

    `message` is the message's name, `field` the field at fault or None when it is the whole payload.
    """

    def __init__(self, message: str, field: str | None, reason: str) -> None:
        self.message = message
        self.field = field
        self.reason = reason
        where = message if field is None else f"{message}.{field}"
        super().__init__(f"{where}: {reason}")


class LocalError(ProtocolError):
    """The caller of an exchange broke its contract, for example by sending before the link was made."""
