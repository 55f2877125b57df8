"""The AsyncAPI 3 document: what goes to the broker and to webhooks, made from the code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

import yaml

from cases.events import CaseEvent, Json, ServiceEvent
from outbox import schemas
from outbox.cloudevents import CONTENT_TYPE, SERVICE_TYPES, TYPES
from outbox.schemas import Schema

_DESCRIPTION: Final = """\
Each change of a case is told as a CloudEvent 1.0 (JSON, structured mode), at least once, and for
one case in the order of `sequence`. Drop a message whose `id` you have seen; ignore types and names
that you do not know. The suffix of a type is the version of its data.

Neither texts of notes nor descriptions are in any message. About a restricted case a message says
that something of its type happened, and nothing else, unless the office has decided otherwise.

Types that begin with `org.regulator.audit` tell of the service itself; their `subject` stands where
others have a case.
"""
_BROKER: Final = """\
A durable topic exchange; the routing key is the type of the event, so that a queue can be bound to
`org.regulator.case.#` or to single types. Messages are persistent. A message that no queue takes is
kept and tried again.
"""
_WEBHOOK: Final = """\
An HTTPS POST for each message, signed as [Standard Webhooks](https://www.standardwebhooks.com) say:
HMAC-SHA256 with the shared secret over `webhook-id`, `webhook-timestamp` and the body. Check the
signature over the bytes as they came. Answer with any status from 200 to 299 once the message is
safe, within 15 seconds. 408, 425, 429 and 5xx are tried again later, no sooner than `Retry-After`
says; so are 401 and 403, which tell that the secret is wrong. Redirects are not followed. Any other
answer of 400 to 499, 410 among them, says that the message will never be taken.
"""
# What AMQP carries beside the body, by the names that AMQP gives it.
_PROPERTIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "content_type": CONTENT_TYPE,
        "message_id": "the `id` of the event",
        "type": "the `type` of the event",
        "timestamp": "the `time` of the event, in whole seconds",
        "delivery_mode": "2, persistent",
    }
)

_TYPES: Final[Mapping[str, str]] = MappingProxyType({**TYPES, **SERVICE_TYPES})
_Kinds: TypeAlias = Mapping[str, type[CaseEvent] | type[ServiceEvent]]


def document(exchange: str) -> Schema:
    """Return the document.

    Args:
        exchange: the name of the broker's exchange that is told in it.
    """
    kinds: _Kinds = {**schemas.kinds(), **schemas.service_kinds()}
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Regulatory Case Management",
            "version": "1",
            "description": _DESCRIPTION,
            "tags": [{"name": "cases", "description": "What happens to cases."}],
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "broker": {
                "host": "broker.example.org:5671",
                "protocol": "amqps",
                "protocolVersion": "0.9.1",
                "description": "RabbitMQ, at the office's own address.",
            },
            "receiver": {
                "host": "receiver.example.org",
                "protocol": "https",
                "description": "The receiver of webhooks, at its own address.",
            },
        },
        "channels": {
            "broker": _broker(kinds, exchange),
            "webhook": _webhook(kinds),
        },
        "operations": {
            "publish": {
                "action": "send",
                "channel": {"$ref": "#/channels/broker"},
                "summary": "Publish what happened.",
                "bindings": {
                    "amqp": {"deliveryMode": 2, "mandatory": True, "bindingVersion": "0.3.0"}
                },
            },
            "post": {
                "action": "send",
                "channel": {"$ref": "#/channels/webhook"},
                "summary": "Post what happened.",
                "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
            },
        },
        "components": {"schemas": _schemas(kinds)},
    }


def written(document: Schema) -> str:
    """Return the document as YAML, in the order in which it was made."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True)


def _broker(kinds: _Kinds, exchange: str) -> Schema:
    said = "\n".join(f"- `{name}`: {value}" for name, value in _PROPERTIES.items())
    return {
        "address": "{type}",
        "title": "RabbitMQ",
        "description": f"{_BROKER}\nProperties of a message:\n\n{said}\n",
        "servers": [{"$ref": "#/servers/broker"}],
        "parameters": {
            "type": {
                "description": "The type of the event.",
                "enum": [_TYPES[name] for name in kinds],
            }
        },
        "messages": {kind.__name__: _message(kind) for kind in kinds.values()},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": exchange,
                    "type": "topic",
                    "durable": True,
                    "autoDelete": False,
                },
                "bindingVersion": "0.3.0",
            }
        },
    }


def _webhook(kinds: _Kinds) -> Schema:
    headers: Schema = {"headers": {"$ref": "#/components/schemas/WebhookHeaders"}}
    return {
        "address": None,
        "title": "Webhook",
        "description": _WEBHOOK,
        "servers": [{"$ref": "#/servers/receiver"}],
        "messages": {kind.__name__: headers | _message(kind) for kind in kinds.values()},
    }


def _message(kind: type[CaseEvent | ServiceEvent]) -> Schema:
    return {
        "name": _TYPES[kind.type],
        "title": kind.__name__,
        "summary": schemas.said(kind),
        "contentType": CONTENT_TYPE,
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
    }


def _schemas(kinds: _Kinds) -> Schema:
    withheld: Schema = {"$ref": "#/components/schemas/Withheld"}
    found: Schema = {}
    for kind in kinds.values():
        data: Schema = {"$ref": f"#/components/schemas/{kind.__name__}Data"}
        if issubclass(kind, ServiceEvent):
            found[kind.__name__] = schemas.service_message_schema(kind, data)
            found[f"{kind.__name__}Data"] = schemas.service_data_schema(kind)
        else:
            found[kind.__name__] = schemas.message_schema(kind, data, withheld)
            found[f"{kind.__name__}Data"] = schemas.data_schema(kind)
    found["Withheld"] = schemas.withheld_schema()
    found["WebhookHeaders"] = _HEADERS
    return found


_HEADERS: Final[Schema] = {
    "type": "object",
    "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
    "properties": {
        "webhook-id": {"type": "string", "description": "The `id` of the event, at each attempt."},
        "webhook-timestamp": {
            "type": "string",
            "pattern": "^[0-9]+$",
            "description": "When this attempt was made, in seconds since 1970. "
            "Refuse what is more than 5 minutes off.",
        },
        "webhook-signature": {
            "type": "string",
            "description": "`v1,` and the signature in base64; several are parted by spaces.",
        },
    },
}


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and never a reference within the file."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def json_schemas() -> dict[str, Json]:
    """Return the complete schema of each message by its CloudEvents type, without references."""
    withheld = schemas.withheld_schema()
    about_cases: dict[str, Json] = {
        TYPES[name]: schemas.message_schema(kind, schemas.data_schema(kind), withheld)
        for name, kind in schemas.kinds().items()
    }
    return about_cases | {
        SERVICE_TYPES[name]: schemas.service_message_schema(kind, schemas.service_data_schema(kind))
        for name, kind in schemas.service_kinds().items()
    }
