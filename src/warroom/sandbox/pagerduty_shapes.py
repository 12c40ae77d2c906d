"""PagerDuty's JSON: references, and the shapes of REST and of webhooks v3, which differ."""

from typing import Any

from warroom.sandbox.pagerduty_fixture import POLICIES, PRIORITIES, SERVICES, Policy, Priority, Service, User, find_user

Json = dict[str, Any]
WEB = "https://sandbox-trading.pagerduty.com"
API = "https://api.pagerduty.com"


def reference(kind: str, thing_id: str, summary: str, path: str, page: str | None = None) -> Json:
    """A reference such as PagerDuty puts everywhere."""
    return {
        "id": thing_id,
        "type": f"{kind}_reference",
        "summary": summary,
        "self": f"{API}/{path}/{thing_id}",
        "html_url": f"{WEB}/{page or path}/{thing_id}",
    }


def user_ref(user_id: str) -> Json:
    """Raises KeyError for somebody who has no account."""
    user = find_user(user_id)
    if user is None:
        raise KeyError(f"PagerDuty has no user {user_id}")
    return reference("user", user.id, user.name, "users")


def service_ref(service: Service) -> Json:
    return reference("service", service.id, service.name, "services", "service-directory")


def policy_ref(policy: Policy) -> Json:
    return reference("escalation_policy", policy.id, policy.name, "escalation_policies")


def priority_json(priority: Priority) -> Json:
    ref = reference("priority", priority.id, priority.name, "priorities", "account/incident_priorities")
    return {
        **ref,
        "type": "priority",
        "name": priority.name,
        "description": priority.description,
        "color": priority.color,
        "order": PRIORITIES.index(priority) + 1,
    }


def user_json(user: User) -> Json:
    """As GET /users/{id} gives it."""
    mail: Json = {"type": "email_contact_method", "label": "Default", "address": user.email}
    phone: Json = {"type": "phone_contact_method", "label": "Mobile", "address": user.phone, "country_code": 1}
    ways = (mail, phone) if user.phone else (mail,)
    methods = [{**m, "id": f"PCM{n}{user.id[-3:]}", "summary": m["label"]} for n, m in enumerate(ways)]
    return {
        **user_ref(user.id),
        "type": "user",
        "name": user.name,
        "email": user.email,
        "time_zone": "America/New_York",
        "color": "teal",
        "role": "user",
        "job_title": user.title,
        "teams": [],
        "contact_methods": methods,
        "notification_rules": [],
        "invitation_sent": False,
    }


def service_json(service: Service) -> Json:
    policy = next(p for p in POLICIES if p.id == service.policy)
    return {
        **service_ref(service),
        "type": "service",
        "name": service.name,
        "description": service.description,
        "status": "active",
        "created_at": "2026-01-05T09:00:00Z",
        "alert_creation": "create_alerts_and_incidents",
        "acknowledgement_timeout": None,
        "auto_resolve_timeout": None,
        "escalation_policy": policy_ref(policy),
        "incident_urgency_rule": {"type": "constant", "urgency": "severity_based"},
        "integrations": [],
        "teams": [],
        "addons": [],
    }


def policy_json(policy: Policy) -> Json:
    rules = [
        {
            "id": f"PER{number}{policy.id[-4:]}",
            "escalation_delay_in_minutes": policy.delay_minutes,
            "targets": [user_ref(user) for user in users],
        }
        for number, users in enumerate(policy.levels, 1)
    ]
    services = [service_ref(s) for s in SERVICES if s.policy == policy.id]
    more = {"name": policy.name, "escalation_rules": rules, "services": services, "num_loops": 0, "teams": []}
    return {
        **policy_ref(policy),
        "type": "escalation_policy",
        "on_call_handoff_notifications": "if_has_services",
        **more,
    }
