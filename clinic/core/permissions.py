"""Who may do what: the one policy, as data.

A role is a named set of permissions; a person may hold several roles in a clinic. Whether something can be done *now*
is a rule of the area, never a permission. The table follows the role matrix of the security requirements.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TypeVar


class Role(StrEnum):
    """What a person does in a clinic."""

    NURSE = "nurse"
    PHYSICIAN = "physician"
    SCHEDULER = "scheduler"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Permission(StrEnum):
    """An act, as area:subject:verb."""

    SEARCH_PATIENTS = "patients:patient:search"
    RESTRICT_CHART = "patients:chart:restrict"
    BREAK_GLASS = "patients:chart:break-glass"
    REVIEW_OPENING = "patients:break-glass:review"
    READ_CHART = "patients:chart:read"
    EDIT_DEMOGRAPHICS = "patients:patient:edit"
    RECORD_WEIGHT = "patients:weight:record"
    RECORD_ALLERGY = "patients:allergy:record"
    RECORD_SCREENING = "patients:screening:record"
    SETTLE_SCREENING = "patients:screening:settle"
    RECORD_CONSENT = "patients:consent:record"
    READ_PROTOCOL = "protocols:protocol:read"
    WRITE_PROTOCOL = "protocols:protocol:write"
    READ_ORDER = "orders:order:read"
    DRAFT_ORDER = "orders:order:draft"
    SIGN_ORDER = "orders:order:sign"
    WRITE_VERBAL_ORDER = "orders:verbal-order:write"
    READ_COURSE = "courses:course:read"
    DECIDE_COURSE = "courses:course:decide"
    READ_CALENDAR = "scheduling:calendar:read"
    BOOK = "scheduling:appointment:book"
    OVERBOOK = "scheduling:appointment:overbook"
    READ_RESOURCES = "scheduling:resources:read"
    SET_RESOURCES = "scheduling:resources:set"
    READ_BOARD = "sessions:board:read"
    READ_SESSION = "sessions:session:read"
    RUN_SESSION = "sessions:session:run"
    RECORD_OBSERVATION = "sessions:observation:record"
    CORRECT_OBSERVATION = "sessions:observation:correct"
    RECORD_ADVERSE_EVENT = "sessions:adverse-event:record"
    OVERRIDE_GATE = "sessions:gate:override"
    OVERRIDE_DISCHARGE = "sessions:discharge:override"
    WITNESS = "druglog:waste:witness"
    RECORD_DRUG = "druglog:entry:record"
    READ_DRUG_LOG = "druglog:log:read"
    READ_NOTE = "notes:note:read"
    WRITE_NOTE = "notes:note:write"
    COSIGN_NOTE = "notes:note:cosign"
    READ_INBOX = "notes:inbox:read"
    READ_OUTCOME = "outcomes:outcome:read"
    RECORD_OUTCOME = "outcomes:outcome:record"
    DEFINE_OUTCOME = "outcomes:measure:define"
    READ_STAFF = "accounts:staff:read"
    MANAGE_STAFF = "accounts:staff:manage"
    MANAGE_SHARING = "accounts:sharing:manage"
    EXPORT_PATIENT = "keeping:patient:export"
    EXPORT_CLINIC = "keeping:clinic:export"
    HOLD_RECORD = "keeping:record:hold"
    SET_RETENTION = "keeping:retention:set"
    READ_ACCESS_REPORT = "audit:patient-access:read"
    READ_ACCOUNT_EVENTS = "audit:account-events:read"
    READ_TRAIL = "audit:trail:read"


_NURSE = {
    Permission.SEARCH_PATIENTS,
    Permission.READ_CHART,
    Permission.BREAK_GLASS,
    Permission.EDIT_DEMOGRAPHICS,
    Permission.RECORD_WEIGHT,
    Permission.RECORD_ALLERGY,
    Permission.RECORD_SCREENING,
    Permission.RECORD_CONSENT,
    Permission.READ_PROTOCOL,
    Permission.READ_ORDER,
    Permission.WRITE_VERBAL_ORDER,
    Permission.READ_COURSE,
    Permission.READ_CALENDAR,
    Permission.BOOK,
    Permission.READ_RESOURCES,
    Permission.READ_BOARD,
    Permission.READ_SESSION,
    Permission.RUN_SESSION,
    Permission.RECORD_OBSERVATION,
    Permission.CORRECT_OBSERVATION,
    Permission.RECORD_ADVERSE_EVENT,
    Permission.WITNESS,
    Permission.RECORD_DRUG,
    Permission.READ_DRUG_LOG,
    Permission.READ_NOTE,
    Permission.WRITE_NOTE,
    Permission.READ_OUTCOME,
    Permission.RECORD_OUTCOME,
}

POLICY: dict[Role, frozenset[Permission]] = {
    Role.NURSE: frozenset(_NURSE),
    Role.PHYSICIAN: frozenset(
        _NURSE
        | {
            Permission.SETTLE_SCREENING,
            Permission.RESTRICT_CHART,
            Permission.REVIEW_OPENING,
            Permission.WRITE_PROTOCOL,
            Permission.DRAFT_ORDER,
            Permission.SIGN_ORDER,
            Permission.DECIDE_COURSE,
            Permission.OVERBOOK,
            Permission.OVERRIDE_GATE,
            Permission.OVERRIDE_DISCHARGE,
            Permission.COSIGN_NOTE,
            Permission.READ_INBOX,
            Permission.DEFINE_OUTCOME,
            Permission.READ_ACCESS_REPORT,
            Permission.EXPORT_PATIENT,
            Permission.EXPORT_CLINIC,
            Permission.HOLD_RECORD,
        }
    ),
    # The desk sees who, when and where: never a diagnosis, a drug, a dose, a note or a score.
    Role.SCHEDULER: frozenset(
        {
            Permission.SEARCH_PATIENTS,
            Permission.EDIT_DEMOGRAPHICS,
            Permission.READ_CALENDAR,
            Permission.BOOK,
            Permission.READ_RESOURCES,
            Permission.READ_BOARD,
        }
    ),
    # The administrator holds no clinical permission at all (SD-1).
    Role.ADMIN: frozenset(
        {
            Permission.READ_STAFF,
            Permission.MANAGE_STAFF,
            Permission.MANAGE_SHARING,
            Permission.SET_RETENTION,
            Permission.READ_ACCOUNT_EVENTS,
            Permission.READ_RESOURCES,
            Permission.SET_RESOURCES,
        }
    ),
    # The auditor reads who did what, the accounts and the clinic's settings, looks at charts that were opened by
    # breaking the glass (SD-8), and changes nothing else (SD-10).
    Role.AUDITOR: frozenset(
        {
            Permission.READ_STAFF,
            Permission.READ_ACCOUNT_EVENTS,
            Permission.READ_TRAIL,
            Permission.READ_RESOURCES,
            Permission.REVIEW_OPENING,
        }
    ),
}


def printed_policy() -> str:
    """Return the policy as the table that stands in the documentation."""
    head = f"| Permission | {' | '.join(role.value for role in Role)} |"
    rows = [
        f"| `{permission.value}` | {' | '.join('yes' if permission in POLICY[role] else '' for role in Role)} |"
        for permission in Permission
    ]
    return "\n".join([head, "|---" * (len(Role) + 1) + "|", *rows]) + "\n"


def may(roles: Iterable[Role], permission: Permission) -> bool:
    """Whether a person with these roles has the permission."""
    return any(permission in POLICY[role] for role in roles)


class Open(StrEnum):
    """Access that is no permission: everybody, or everybody who is signed in."""

    PUBLIC = "public"
    SIGNED_IN = "signed-in"


Access = Permission | Open
View = TypeVar("View", bound=Callable[..., object])


def _declare(view: View, access: Access) -> View:
    view.access = access  # type: ignore[attr-defined]
    return view


def requires(permission: Permission) -> Callable[[View], View]:
    """Declare the permission that a view asks for; the shell enforces it."""
    return lambda view: _declare(view, permission)


def signed_in(view: View) -> View:
    """Declare that any signed-in person may use a view."""
    return _declare(view, Open.SIGNED_IN)


def public(view: View) -> View:
    """Declare that a view needs no sign-in."""
    return _declare(view, Open.PUBLIC)
