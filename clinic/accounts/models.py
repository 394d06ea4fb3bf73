"""Clinics and their places; staff, roles and signed-in browsers."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.rules import Approver, LinkPurpose, StaffStatus
from clinic.core import permissions
from clinic.core.db import Base, ClinicScoped
from clinic.core.findings import FindingLevel
from clinic.core.permissions import Permission, Role
from clinic.core.recorded import Recorded, Superseding, correction_says_why
from clinic.core.sharing import TellsNames
from clinic.core.types import Names, Quantity, enum_type


class Clinic(Base):
    """An organisation. Its settings are what its own people decided; an empty one decides nothing."""

    __tablename__ = "clinic"
    __table_args__ = (
        sa.CheckConstraint("spoken_order_sign_hours > 0", name="spoken_order_sign_hours_is_positive"),
        sa.CheckConstraint("late_entry_days > 0", name="late_entry_days_is_positive"),
    )

    name: Mapped[str] = mapped_column(unique=True)
    zone: Mapped[str]
    is_demo: Mapped[bool] = mapped_column(default=False)
    late_entry_after_min: Mapped[int | None]
    # Within how many days of a session its late entries and addenda are written; later ones are warned of.
    late_entry_days: Mapped[int | None] = mapped_column(sort_order=99)
    weight_change_percent: Mapped[int | None]
    rate_difference_percent: Mapped[int | None]
    drug_tolerance_mg: Mapped[Decimal | None] = mapped_column(Quantity(4))
    double_check_minutes: Mapped[int | None]
    # Who gives a bolus: nurses and physicians, or physicians alone.
    bolus_role: Mapped[Role | None] = mapped_column(enum_type(Role, "bolus_role"))
    # Whether a step larger or sooner than the order's asks for a reason or is refused.
    step_level: Mapped[FindingLevel | None] = mapped_column(enum_type(FindingLevel, "step_level"))
    beyond_protocol_level: Mapped[FindingLevel | None] = mapped_column(
        enum_type(FindingLevel, "beyond_protocol_level"), sort_order=96
    )
    pump_tolerance_percent: Mapped[int | None]
    # Who witnesses at the drug cabinet, as with the bolus; and whether taking drug out asks for a witness.
    witness_role: Mapped[Role | None] = mapped_column(enum_type(Role, "witness_role"), sort_order=97)
    is_withdrawal_witnessed: Mapped[bool | None] = mapped_column(sort_order=97)
    # Whether a second person computes every change of the rate, lower ones too; and the rate at each hand-over.
    is_every_rate_checked: Mapped[bool | None] = mapped_column(sort_order=97)
    is_hand_over_checked: Mapped[bool | None] = mapped_column(sort_order=97)
    # How long a spoken order may wait for its speaker's signature before it is marked as overdue.
    spoken_order_sign_hours: Mapped[int | None]
    # Who signs a version of a protocol into use: any physician, or another than those who wrote it.
    protocol_approver: Mapped[Approver | None] = mapped_column(enum_type(Approver, "protocol_approver"))
    # The roles that may not be without a second factor.
    factor_roles: Mapped[frozenset[str]] = mapped_column(Names, nullable=True, default=frozenset(), sort_order=98)
    # What calendars outside the clinic may tell: how a patient is named, the drug (to nurses and physicians alone), and
    # the place in a patient's own calendar. Until somebody decides, nothing.
    calendars_tell: Mapped[TellsNames | None] = mapped_column(enum_type(TellsNames, "calendars_tell"), sort_order=98)
    calendars_tell_drug: Mapped[bool] = mapped_column(default=False, server_default=sa.false(), sort_order=98)
    calendars_tell_place: Mapped[bool] = mapped_column(default=False, server_default=sa.false(), sort_order=98)
    # Whether mails to patients name the drug, and whether a time that is booked, moved or cancelled is written about.
    mails_tell_drug: Mapped[bool] = mapped_column(default=False, server_default=sa.false(), sort_order=98)
    mails_tell_changes: Mapped[bool] = mapped_column(default=False, server_default=sa.false(), sort_order=98)


class Site(ClinicScoped, Base):
    """A place of a clinic."""

    __tablename__ = "site"
    __table_args__ = (sa.UniqueConstraint("clinic_id", "name"),)

    name: Mapped[str]


class Staff(Base):
    """A person with an account. Never deleted: the name stays on every record."""

    __tablename__ = "staff"
    __table_args__ = (sa.CheckConstraint("email = lower(email)", name="email_is_lower_case"),)

    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    given_name: Mapped[str]
    family_name: Mapped[str]
    title: Mapped[str | None]
    credentials: Mapped[str | None]
    status: Mapped[StaffStatus] = mapped_column(enum_type(StaffStatus, "staff_status"))
    password_hash: Mapped[str | None]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(sort_order=95)
    grants: Mapped[list["StaffRole"]] = relationship(
        back_populates="staff", lazy="selectin", foreign_keys="StaffRole.staff_id"
    )

    __mapper_args__ = {"version_id_col": version}

    @property
    def name(self) -> str:
        """As it stands on screen and on records: `Dr I. Okafor`, `A. Quill RN`."""
        initial = f"{self.given_name[:1]}. {self.family_name}"
        return f"{self.title} {initial}" if self.title else f"{initial} {self.credentials or ''}".strip()

    @property
    def initials(self) -> str:
        """Two letters for narrow columns."""
        return f"{self.given_name[:1]}{self.family_name[:1]}".upper()

    @property
    def roles(self) -> frozenset[Role]:
        """The roles in the clinic of this piece of work."""
        return frozenset(grant.role for grant in self.grants)

    def may(self, permission: Permission) -> bool:
        """Whether the person has a permission here."""
        return permissions.may(self.roles, permission)

    def has_any(self, roles: Iterable[Role]) -> bool:
        """Whether the person holds one of these roles here."""
        return bool(self.roles & set(roles))


class StaffRole(ClinicScoped, Base):
    """A role that a person holds in a clinic."""

    __tablename__ = "staff_role"
    __table_args__ = (sa.UniqueConstraint("staff_id", "clinic_id", "role"),)

    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    role: Mapped[Role] = mapped_column(enum_type(Role, "role"))
    granted_at: Mapped[datetime]
    granted_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    staff: Mapped[Staff] = relationship(back_populates="grants", foreign_keys=[staff_id])


class Cover(ClinicScoped, Recorded, Superseding, Base):
    """A physician signs for another from one day of the clinic to another, both included; withdrawn by a later row."""

    __tablename__ = "cover"
    __table_args__ = (
        correction_says_why(),
        sa.CheckConstraint("until_on >= from_on", name="ends_after_it_begins"),
        sa.CheckConstraint("away_id <> covering_id", name="another_covers"),
    )

    away_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    covering_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    from_on: Mapped[date]
    until_on: Mapped[date]
    away: Mapped[Staff] = relationship(foreign_keys=[away_id])
    covering: Mapped[Staff] = relationship(foreign_keys=[covering_id])
    recorded_by: Mapped[Staff] = relationship(foreign_keys="Cover.recorded_by_id")


class LoginSession(Base):
    """A signed-in browser. The cookie holds the token; the database keeps only its hash."""

    __tablename__ = "login_session"

    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    clinic_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("clinic.id"))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    locked_at: Mapped[datetime | None]
    # The password was right; until the second factor is given no page but its own answers.
    is_factor_due: Mapped[bool] = mapped_column(default=False, sort_order=90)
    # The one address that answers while the tablet is in a patient's hands.
    handed_path: Mapped[str | None]
    address: Mapped[str | None]
    browser: Mapped[str | None]
    # Which browser of which device; people who signed in fully at one take turns there.
    device_hash: Mapped[str | None] = mapped_column(sa.String(64), index=True, sort_order=91)
    # Wrong PINs at this sign-in. Only ever more, at most five.
    pin_wrong: Mapped[int] = mapped_column(default=0, server_default="0", sort_order=92)


class BedsidePin(Base):
    """A PIN that takes the lock off where its person signed in fully. One at a time, the others were removed."""

    __tablename__ = "bedside_pin"
    __table_args__ = (
        sa.CheckConstraint("pin_hash LIKE '$argon2id$%'", name="is_hashed"),
        sa.Index(
            "uq_bedside_pin_one_per_person",
            "staff_id",
            unique=True,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        ),
    )

    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    pin_hash: Mapped[str]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class LoginFailure(Base):
    """A refused sign-in, counted per account and per address to slow down guessing."""

    __tablename__ = "login_failure"
    __table_args__ = (sa.Index(None, "subject", "failed_at"),)

    subject: Mapped[str] = mapped_column(sa.String(80))
    failed_at: Mapped[datetime]


class Authenticator(Base):
    """An app that makes one-time codes for a person; its secret is sealed. One at a time, the others were removed."""

    __tablename__ = "authenticator"
    __table_args__ = (
        sa.Index(
            "uq_authenticator_one_per_person",
            "staff_id",
            unique=True,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        ),
    )

    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    sealed_secret: Mapped[str]
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    # The time step of the last code that counted: it and all before it never count again.
    last_step: Mapped[int | None] = mapped_column(sa.BigInteger)
    used_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    # It takes the place of a lost one: until it is confirmed the password alone opens nothing.
    is_replacement: Mapped[bool] = mapped_column(default=False, sort_order=90)


class Passkey(Base):
    """A passkey of a person: the public half. Never deleted, so that it never counts again once it was removed."""

    __tablename__ = "passkey"
    __table_args__ = (
        sa.CheckConstraint("length(trim(name)) > 0", name="has_a_name"),
        sa.CheckConstraint("sign_count >= 0", name="sign_count_is_a_count"),
    )

    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    # What its person calls it: ward phone.
    name: Mapped[str] = mapped_column(sa.String(80))
    credential_id: Mapped[str] = mapped_column(unique=True)
    public_key: Mapped[str]
    # How often it signed, as it says itself; a number that does not grow means a copy. Many say 0 for ever.
    sign_count: Mapped[int] = mapped_column(sa.BigInteger)
    # Whether it is kept elsewhere too, by the maker of the phone for example.
    is_backed_up: Mapped[bool]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class UsedChallenge(Base):
    """A passkey's challenge that was answered: only its hash, for as long as it could come again."""

    __tablename__ = "used_challenge"

    challenge_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    used_at: Mapped[datetime]


class PasskeyProof(Base):
    """What a passkey proved in place of a password: whose it was, at which sign-in's screen. Its word counts once."""

    __tablename__ = "passkey_proof"

    word_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    login_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("login_session.id"))
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ProviderIdentity(Base):
    """Who a person is at the clinic's own sign-in. Never deleted, so that the trail can name what opened an account."""

    __tablename__ = "provider_identity"
    __table_args__ = tuple(
        sa.Index(
            f"uq_provider_identity_{name}",
            *columns,
            unique=True,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )
        for name, columns in (("one_account", ("issuer", "subject")), ("one_per_person", ("staff_id", "issuer")))
    )

    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"))
    issuer: Mapped[str]
    # The provider's own name for the person, given to nobody else: no e-mail address, which may pass to another.
    subject: Mapped[str]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """A code on paper for the day when the app is lost; only its hash is kept. Used once."""

    __tablename__ = "recovery_code"

    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    code_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Invitation(Base):
    """A single-use link for a password or another second factor; only its hash is kept."""

    __tablename__ = "invitation"

    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    created_at: Mapped[datetime]
    created_by_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("staff.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    purpose: Mapped[LinkPurpose] = mapped_column(
        enum_type(LinkPurpose, "link_purpose"), default=LinkPurpose.PASSWORD, sort_order=90
    )
