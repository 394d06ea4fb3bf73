"""The clinic in which a case is played: people, chairs, formulary and protocols, made when first needed."""

import re
import secrets
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from argon2 import PasswordHasher

from clinic.accounts import operations as accounts
from clinic.accounts.models import Clinic, Site, Staff, StaffRole
from clinic.accounts.rules import Approver, StaffStatus
from clinic.cases.parts import Case
from clinic.core import db
from clinic.core.permissions import Role
from clinic.protocols import operations as protocols
from clinic.protocols import operations_review as review
from clinic.protocols.models import Drug, Protocol, ProtocolVersion
from clinic.protocols.rules import ProtocolStatus
from clinic.protocols.terms import TermsDraft
from clinic.scheduling import operations as scheduling
from clinic.scheduling.models import Chair
from clinic.scheduling.rules import ChairKind

# The staff of the worked cases (domain README): title, given name, family name, credentials.
CAST: Mapping[str, tuple[str | None, str, str, str | None]] = {
    "PHY-1": ("Dr", "Ines", "Okafor", "MD"),
    "PHY-2": ("Dr", "Lars", "Benedek", "MD"),
    "RN-1": (None, "Amara", "Quill", "RN"),
    "RN-2": (None, "Jonah", "Prior", "RN"),
    "RN-3": (None, "Della", "Strand", "RN"),
    "RN-4": (None, "Yusuf", "Marsh", "RN"),
    "ADM-1": (None, "Petra", "Lund", None),
}
NURSES = ("RN-1", "RN-2", "RN-3", "RN-4")
PHYSICIAN = "PHY-1"
DESK = "DESK-1"

_ROLES: tuple[tuple[str, frozenset[Role]], ...] = (
    (r"(PHY|MD|DR)-\d+", frozenset({Role.PHYSICIAN})),
    (r"(NP|PA|CRNA)-\d+", frozenset({Role.NURSE, Role.PHYSICIAN})),
    (r"(DESK|SCH)-\d+", frozenset({Role.SCHEDULER})),
    (r"ADM-\d+", frozenset({Role.ADMIN})),
)
# What the clinic itself decided, as REFERENCE.md has it: 3.3 and 1.3 for the weight, 7.2 for the double check.
_SETTINGS = {
    "weight_change_percent": 10,
    "double_check_minutes": 15,
    "late_entry_after_min": 15,
    "protocol_approver": Approver.ANY,
}
_PROTOCOL = re.compile(r"(.+?)\s+v(?:ersion)?\s*(\d+)", re.IGNORECASE)

_Row = TypeVar("_Row", bound=db.Base)


@dataclass(slots=True)
class World:
    """Where cases are played. Everything is held by its key, so that it outlives a piece of work.

    `staff` goes by the codes of the file (`PHY-1`), `chairs` by name, `protocols` by the name of the file
    (`KET-2H v2`, a `ProtocolVersion`), `drugs` by name in lower case. What is missing is made when it is first asked
    for. `password` is the one that every person here signs with.
    """

    clinic_id: uuid.UUID
    zone: ZoneInfo
    password: str
    password_hash: str
    staff: dict[str, uuid.UUID] = field(default_factory=dict)
    chairs: dict[str, uuid.UUID] = field(default_factory=dict)
    protocols: dict[str, uuid.UUID] = field(default_factory=dict)
    drugs: dict[str, uuid.UUID] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    # Held so that the session, which holds its rows weakly, need not read them at every step.
    _here: dict[str, Staff] = field(default_factory=dict)

    def person(self, code: str, *, at: datetime, also: Collection[Role] = ()) -> Staff:
        """The person behind a code or a name; `also` are roles that the part played asks for."""
        staff = self._here.get(code)
        if staff is None or staff not in db.session:
            staff = self._known(Staff, self.staff.get(code)) or self._hire(code, at, also)
            self._here[code] = staff
        missing = [] if staff.has_any(also) or not also else sorted(also)
        for role in missing:
            staff.grants.append(StaffRole(role=role, granted_at=at, clinic_id=self.clinic_id))
        if missing:
            db.session.flush()
        return staff

    @staticmethod
    def _known(table: type[_Row], key: uuid.UUID | None) -> _Row | None:
        """The row of a key; None also where the step that made it was undone."""
        return db.session.get(table, key) if key else None

    def nurse(self, code: str | None, *, at: datetime, other_than: Collection[str | None] = ()) -> tuple[str, Staff]:
        """The nurse of a code; where the file names none, or one who may not do it, the first of the others."""
        if code is None or code in other_than:
            code = next(one for one in (*NURSES, "RN-9") if one not in other_than)
        return code, self.person(
            code, at=at, also={Role.NURSE, Role.PHYSICIAN} if _is_prescriber(code) else {Role.NURSE}
        )

    def physician(self, code: str | None, *, at: datetime) -> Staff:
        """The physician of a code, or the clinic's first."""
        return self.person(code or PHYSICIAN, at=at, also={Role.PHYSICIAN})

    def desk(self, *, at: datetime) -> Staff:
        """Who books."""
        code = next((code for code in self.staff if code.startswith(("DESK", "SCH"))), DESK)
        return self.person(code, at=at, also={Role.SCHEDULER})

    def _hire(self, code: str, at: datetime, also: Collection[Role]) -> Staff:
        title, given, family, credentials = self._called(code)
        address = re.sub(r"[^a-z0-9]+", "-", code.lower()).strip("-") or "staff"
        staff = accounts.create_staff(
            email=f"{address}.{self.clinic_id.hex[-12:]}@played.example",
            given_name=given,
            family_name=family,
            title=title,
            credentials=credentials,
            roles=_roles_of(code) | set(also),
            by=None,
            at=at,
        )
        staff.status = StaffStatus.ACTIVE
        staff.password_hash = self.password_hash
        db.session.flush()
        db.session.refresh(staff)
        self.staff[code] = staff.id
        return staff

    def _called(self, code: str) -> tuple[str | None, str, str, str | None]:
        said = self.names.get(code.upper())
        if said is None and code in CAST:
            return CAST[code]
        words = (said or code).replace(",", " ").split()
        title = words.pop(0) if words[0].rstrip(".") == "Dr" and len(words) > 1 else None
        return title, words[0], " ".join(words[1:]) or "Staff", None

    def chair(self, name: str | None, *, at: datetime) -> Chair:
        """The chair of a name; A1 where the file names none."""
        name = name or "A1"
        chair = self._known(Chair, self.chairs.get(name))
        if chair is None:
            site_id = db.session.scalars(sa.select(Site.id)).first()
            if site_id is None:
                raise ValueError("The clinic has no site.")
            place = len(self.chairs) + 1
            chair = scheduling.add_chair(site_id, name, position=place, kind=ChairKind.CHAIR, by=None, at=at)
            db.session.flush()
            self.chairs[name] = chair.id
        return chair

    def drug(self, name: str, *, is_controlled: bool, rxcui: str | None, by: Staff, at: datetime) -> Drug:
        """The formulary's line for a drug; controlled where the case keeps an account of it."""
        key = name.lower()
        drug = self._known(Drug, self.drugs.get(key))
        if drug is None:
            drug = protocols.add_drug(name=name, is_controlled=is_controlled, rxcui=rxcui, by=by, at=at)
            self.drugs[key] = drug.id
        return drug

    def protocol(self, name: str, draft: TermsDraft, *, by: Staff, at: datetime) -> ProtocolVersion:
        """The protocol version of a name, in use; written from `draft` and signed where the clinic has none."""
        known = self._known(ProtocolVersion, self.protocols.get(name))
        if known is not None:
            return known
        found = _PROTOCOL.fullmatch(name.strip())
        title, number = (found[1], int(found[2])) if found else (name, 1)
        standing = db.session.scalar(sa.select(Protocol).where(Protocol.name == title))
        if standing is None:
            version = protocols.create_protocol(title, draft, is_fictional=True, number=number or 1, by=by, at=at)
        else:
            version = protocols.new_version(standing, draft, by=by, at=at)
        review.submit(version, by=by, at=at)
        review.approve(version, by=by, password=self.password, at=at)
        if version.status is ProtocolStatus.ACTIVE:
            self.protocols[name] = version.id
        return version


def _roles_of(code: str) -> set[Role]:
    for pattern, roles in _ROLES:
        if re.fullmatch(pattern, code):
            return set(roles)
    return {Role.NURSE} if "-" in code else set()


def _is_prescriber(code: str) -> bool:
    return Role.PHYSICIAN in _roles_of(code)


def found_world(case: Case, *, at: datetime, names: Mapping[str, str] | None = None) -> World:
    """A clinic for one case alone, with a password that nobody knows."""
    password = secrets.token_urlsafe(32)
    # The secret is random and lives as long as the play: stretching it would only cost time.
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    zone = case.zone or ZoneInfo("UTC")
    clinic = accounts.create_clinic(f"Clinic of case {case.id}", zone=str(zone), at=at)
    for name, value in _SETTINGS.items():
        setattr(clinic, name, value)
    db.session.flush()
    return World(
        clinic_id=clinic.id,
        zone=zone,
        password=password,
        password_hash=hasher.hash(password),
        names=dict(names or {}),
    )


def is_empty() -> bool:
    """Whether the database holds no clinic yet."""
    return db.session.scalars(sa.select(Clinic.id)).first() is None
