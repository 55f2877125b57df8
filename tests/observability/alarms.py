"""When each alert fires, as input for ``promtool test rules``: what is told, minute by minute."""

from __future__ import annotations

from typing import Any, Final

_REQUESTS: Final = "http_request_duration_seconds_count"
_BUCKET: Final = 'http_request_duration_seconds_bucket{route="/cases", le='


# Of each alert: what is told, the labels it comes with, the last minute of silence and the first
# of noise.
ALARMS: Final[dict[str, tuple[dict[str, str], dict[str, str], int, int]]] = {
    "WebServerDown": (
        {'up{job="cases-web", instance="a"}': "1 0x20"},
        {"job": "cases-web", "instance": "a"},
        2,
        3,
    ),
    "DatabaseAway": ({"database_answers": "1 0x20"}, {}, 1, 2),
    "NotReady": (
        {f'{_REQUESTS}{{route="/health/ready", status="503", instance="a"}}': "0x5 6+6x30"},
        {"instance": "a"},
        10,
        11,
    ),
    "RequestsFail": (
        {f'{_REQUESTS}{{status="200"}}': "0+97x40", f'{_REQUESTS}{{status="503"}}': "0+3x40"},
        {},
        5,
        6,
    ),
    "RequestsSlow": (
        {
            f'{_BUCKET}"{edge}"}}': f"0+{rate}x60"
            for edge, rate in (("1.0", 94), ("2.5", 100), ("+Inf", 100))
        },
        {},
        10,
        11,
    ),
    "CallersHeldBack": ({f'{_REQUESTS}{{status="429"}}': "0+2000x60"}, {}, 15, 16),
    "WritersCollide": (
        {
            f'case_actions_total{{action="assign", outcome="{outcome}"}}': f"0+{rate}x60"
            for outcome, rate in (("done", 88), ("case_conflict", 12))
        },
        {"action": "assign"},
        15,
        16,
    ),
    "ConnectionsDoNotLast": (
        {'database_connections_opened_total{instance="a"}': "0+2000x60"},
        {"instance": "a"},
        15,
        16,
    ),
    "NoConnectionInTime": (
        {'database_pool_timeouts_total{instance="a", database="default"}': "0+1x60"},
        {"instance": "a"},
        5,
        6,
    ),
    "DrainerDown": (
        {'up{job="cases-drainer", instance="b"}': "1 0x20"},
        {"job": "cases-drainer", "instance": "b"},
        5,
        6,
    ),
    "MessagesLate": (
        {'outbox_oldest_pending_seconds{destination="webhook"}': "0+60x60"},
        {"destination": "webhook"},
        15,
        16,
    ),
    "MessagesDead": (
        {'outbox_dead{destination="webhook"}': "0 0 1x20"},
        {"destination": "webhook"},
        1,
        2,
    ),
    "DestinationAway": (
        {'outbox_destination_away_total{destination="webhook"}': "0+2x60"},
        {"destination": "webhook"},
        10,
        11,
    ),
    "DeliveriesFail": (
        {
            'outbox_failed_total{destination="webhook"}': "0+3x60",
            'outbox_delivered_total{destination="webhook"}': "0+2x60",
        },
        {"destination": "webhook"},
        15,
        16,
    ),
    "CasesBecomeOverdue": ({"cases_overdue": "5x1440 16x200"}, {}, 1500, 1501),
}


def unit_tests(rules: dict[str, dict[str, Any]], file: str) -> dict[str, Any]:
    """Return what promtool reads, for these rules by their names, which stand in a file."""
    return {
        "rule_files": [file],
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": v} for name, v in told.items()],
                "alert_rule_test": [
                    {"alertname": alert, "eval_time": f"{silent}m"},
                    {
                        "alertname": alert,
                        "eval_time": f"{noisy}m",
                        "exp_alerts": [_expected(rules[alert], labels)],
                    },
                ],
            }
            for alert, (told, labels, silent, noisy) in ALARMS.items()
        ],
    }


def _expected(rule: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    said = dict(rule["annotations"])
    for name, value in labels.items():
        said["summary"] = said["summary"].replace(f"{{{{ $labels.{name} }}}}", value)
    return {"exp_labels": labels | rule["labels"], "exp_annotations": said}
