"""The demonstration clinic itself: its people, its settings, its chairs. All of them are invented."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from argon2 import PasswordHasher

from clinic.accounts import operations as accounts
from clinic.accounts.models import Clinic, Site, Staff
from clinic.accounts.rules import DEMO_PASSWORD, Approver, StaffStatus
from clinic.audit import operations as audit
from clinic.audit.rules import AuditAction
from clinic.cases.play_clinic import World
from clinic.core import db, times
from clinic.core.findings import FindingLevel
from clinic.core.permissions import Role
from clinic.orders import cosigning
from clinic.orders.rules import OrderCosign
from clinic.protocols.models import ProtocolVersion
from clinic.protocols.terms import TermsDraft
from clinic.scheduling import operations as scheduling
from clinic.scheduling import operations_limits
from clinic.scheduling.limit_rules import Most
from clinic.scheduling.rules import ChairKind

NAME: Final = "Harbour Pain Clinic (demo)"
ZONE: Final = ZoneInfo("America/New_York")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works here; `code` is how the worked cases call the person."""

    code: str
    given_name: str
    family_name: str
    role: Role
    title: str | None = None
    credentials: str | None = None

    @property
    def email(self) -> str:
        return f"{self.given_name}.{self.family_name}@clinic.example".lower()


STAFF: Final = (
    Person("RN-1", "Amara", "Quill", Role.NURSE, credentials="RN"),
    Person("RN-2", "Jonah", "Prior", Role.NURSE, credentials="RN"),
    Person("RN-3", "Della", "Strand", Role.NURSE, credentials="RN"),
    Person("RN-4", "Yusuf", "Marsh", Role.NURSE, credentials="RN"),
    Person("PHY-1", "Ines", "Okafor", Role.PHYSICIAN, title="Dr", credentials="MD"),
    Person("PHY-2", "Lars", "Benedek", Role.PHYSICIAN, title="Dr", credentials="MD"),
    Person("PHY-3", "Nora", "Sato", Role.PHYSICIAN, title="Dr", credentials="MD, resident"),
    Person("DESK", "Tessa", "Lowe", Role.SCHEDULER),
    Person("ADM-1", "Petra", "Lund", Role.ADMIN),
    Person("AUD-1", "Mina", "Sorel", Role.AUDITOR),
)
ON_DUTY: Final = ("RN-1", "RN-2", "RN-3", "RN-4", "PHY-1", "PHY-2")
_ROLE_WORDS: Final = {
    Role.NURSE: "nurse",
    Role.PHYSICIAN: "physician",
    Role.SCHEDULER: "desk",
    Role.ADMIN: "administrator",
    Role.AUDITOR: "auditor",
}

CHAIRS: Final = ("A1", "A2", "A3", "B1", "B2", "B3", "C1", "C2")
# Who looks after which chair: never more than two at once, of the three that the clinic allows.
NURSE_OF: Final[Mapping[str, str]] = {
    "A1": "RN-1",
    "A2": "RN-2",
    "A3": "RN-1",
    "B1": "RN-2",
    "B2": "RN-3",
    "B3": "RN-4",
    "C1": "RN-3",
    "C2": "RN-4",
}
SECOND_OF: Final[Mapping[str, str]] = {"RN-1": "RN-2", "RN-2": "RN-1", "RN-3": "RN-4", "RN-4": "RN-3"}

PER_NURSE: Final = Most(at_once=3)

# What this clinic decided for itself.
SETTINGS: Final[Mapping[str, int | Decimal | StrEnum]] = {
    "late_entry_after_min": 10,
    "weight_change_percent": 10,
    "rate_difference_percent": 5,
    "drug_tolerance_mg": Decimal("0.5"),
    "double_check_minutes": 15,
    "protocol_approver": Approver.ANY,
    "bolus_role": Role.NURSE,
    "step_level": FindingLevel.SOFT,
    "pump_tolerance_percent": 5,
}
_MARK: Final = " (fictional)"


class DemoWorld(World):
    """The clinic as a stage, for the worked cases and for its own days: people, chairs, drugs, protocols by name."""

    def protocol(self, name: str, draft: TermsDraft, *, by: Staff, at: datetime) -> ProtocolVersion:
        """A protocol that a case asks for; its name says what it is."""
        title, mark, number = name.rpartition(" v")
        return super().protocol(f"{title}{_MARK} v{number}" if mark else f"{name}{_MARK}", draft, by=by, at=at)


def found_clinic(*, at: datetime) -> DemoWorld:
    """Make the clinic with its people, who share one password, its chairs and its settings."""
    clinic = accounts.create_clinic(NAME, zone=str(ZONE), at=at, is_demo=True)
    # Everybody knows this password, and a hundred signatures are made with it while the clinic is filled. The first
    # sign-in of each person replaces the quick hash with one of the usual strength.
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    password_hash = quick.hash(DEMO_PASSWORD)
    world = DemoWorld(clinic_id=clinic.id, zone=ZONE, password=DEMO_PASSWORD, password_hash=password_hash)
    with db.in_clinic(clinic.id):
        for person in STAFF:
            _hire(world, person, at=at)
        # Where a case names an administrator, she books.
        world.staff["ADM-1"] = world.staff["DESK"]
        _settle(clinic, at=at)
        _supervise(world, at=at)
        site_id = db.session.scalars(sa.select(Site.id)).one()
        for place, name in enumerate(CHAIRS, start=1):
            chair = scheduling.add_chair(site_id, name, position=place, kind=ChairKind.CHAIR, by=None, at=at)
            world.chairs[name] = chair.id
        desk = db.session.get_one(Staff, world.staff["DESK"])
        operations_limits.set_nurse_limits(times.local(at, ZONE).date(), PER_NURSE, by=desk, at=at)
        db.session.flush()  # while it is settled whose rows they are
    return world


def _supervise(world: DemoWorld, *, at: datetime) -> None:
    """What the resident signs comes into force once it is co-signed."""
    resident, by = (db.session.get_one(Staff, world.staff[code]) for code in ("PHY-3", "PHY-1"))
    cosigning.set_rule(
        resident, OrderCosign.FIRST, cosigner=by, reason="In training.", by=by, password=DEMO_PASSWORD, at=at
    )


def _hire(world: DemoWorld, person: Person, *, at: datetime) -> None:
    staff = accounts.create_staff(
        email=person.email,
        given_name=person.given_name,
        family_name=person.family_name,
        title=person.title,
        credentials=person.credentials,
        roles=[person.role],
        by=None,
        at=at,
    )
    staff.status, staff.password_hash = StaffStatus.ACTIVE, world.password_hash
    db.session.flush()
    world.staff[person.code] = staff.id


def _settle(clinic: Clinic, *, at: datetime) -> None:
    for name, value in SETTINGS.items():
        setattr(clinic, name, value)
    audit.record(
        AuditAction.CLINIC_SETTINGS_CHANGED, clinic, actor_id=None, at=at, clinic_id=clinic.id, settings=dict(SETTINGS)
    )


def sign_in_lines() -> list[str]:
    """Who can sign in, for a person at a terminal."""
    width = max(len(words) for words in _ROLE_WORDS.values())
    lines = ["Sign in as"]
    for role, words in _ROLE_WORDS.items():
        emails = [person.email for person in STAFF if person.role is role]
        lines += [f"  {words if place == 0 else '':<{width}}  {email}" for place, email in enumerate(emails)]
    return [*lines, f"The password of each is  {DEMO_PASSWORD}"]
