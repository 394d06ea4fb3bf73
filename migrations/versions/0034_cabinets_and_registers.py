"""The register by cabinet and drug: lines in a fixed order, each with the balance before and after it.

Until now every container had a balance of its own and waste stood in no order with the rest. A page of the register is
one drug in one strength and form in one cabinet. What was written so far gets its page and its place in the order of
writing: on this one occasion the guard against changes is taken down and put up again.
"""

import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_GUARD = "append_only_register_entry_update"
_KINDS = "'receive', 'withdraw', 'prepare', 'give', 'waste', 'return', 'transfer', 'destroy', 'count', 'adjust'"
_NEW_KINDS = f"{_KINDS}, 'transfer-in', 'prime', 'strike'"
_EFFECT = (
    "register_id IS NULL OR kind = 'strike' OR register_after_mg - register_before_mg = "
    "CASE WHEN container_id IS NULL THEN 0 "
    "WHEN kind IN ('receive', 'return', 'adjust', 'transfer-in') THEN quantity_mg "
    "WHEN kind IN ('withdraw', 'transfer', 'destroy') THEN -quantity_mg ELSE 0 END"
)
_CHECKS = {
    "register_line_is_whole": (
        "(register_id IS NULL) = (line IS NULL) AND (register_id IS NULL) = (register_before_mg IS NULL) "
        "AND (register_id IS NULL) = (register_after_mg IS NULL) AND (container_id IS NULL OR register_id IS NOT NULL)"
    ),
    "register_is_never_negative": "register_before_mg >= 0 AND register_after_mg >= 0",
    "register_follows_the_kind": _EFFECT,
    "volume_is_not_negative": "quantity_ml >= 0",
    "prime_is_witnessed": "kind <> 'prime' OR witness_id IS NOT NULL",
    "strike_says_what_and_why": (
        "kind <> 'strike' OR (about_id IS NOT NULL AND witness_id IS NOT NULL AND reason IS NOT NULL)"
    ),
    "arrival_names_its_departure": "kind <> 'transfer-in' OR about_id IS NOT NULL",
}
# What the line before says, and what the line is about; both databases judge in these words.
_REFUSALS = {
    "register_line_follows": (
        "NEW.register_id IS NOT NULL AND (NEW.line <> COALESCE((SELECT MAX(line) FROM register_entry "
        "WHERE register_id = NEW.register_id), 0) + 1 OR NEW.register_before_mg <> COALESCE((SELECT register_after_mg "
        "FROM register_entry WHERE register_id = NEW.register_id ORDER BY line DESC LIMIT 1), 0))"
    ),
    "container_follows_its_register": (
        "NEW.container_id IS NOT NULL AND NEW.balance_after_mg <> COALESCE((SELECT balance_after_mg FROM "
        "register_entry WHERE register_id = NEW.register_id AND container_id = NEW.container_id "
        "ORDER BY line DESC LIMIT 1), 0) + NEW.register_after_mg - NEW.register_before_mg"
    ),
    "strike_undoes_its_line": (
        "NEW.kind = 'strike' AND NOT EXISTS (SELECT 1 FROM register_entry AS struck WHERE struck.id = NEW.about_id "
        "AND struck.quantity_mg = NEW.quantity_mg "
        "AND struck.kind NOT IN ('strike', 'transfer', 'transfer-in', 'count', 'adjust') "
        "AND (struck.register_id = NEW.register_id OR (struck.register_id IS NULL AND NEW.register_id IS NULL))"
        " AND COALESCE(struck.register_after_mg - struck.register_before_mg, 0)"
        " = COALESCE(NEW.register_before_mg - NEW.register_after_mg, 0))"
    ),
    "arrival_answers_a_departure": (
        "NEW.kind = 'transfer-in' AND NOT EXISTS (SELECT 1 FROM register_entry AS sent WHERE sent.id = NEW.about_id "
        "AND sent.kind = 'transfer' AND sent.quantity_mg = NEW.quantity_mg AND sent.container_id = NEW.container_id)"
    ),
}
_FIXED = {"cabinet": ("clinic_id", "site_id"), "container": ("product_code", "receipt_id")}
_WRITTEN_ONCE = ("register", "receipt", "lot_recall")
_LAST = "about_id CHAR(32) CONSTRAINT fk_register_entry_about_id REFERENCES register_entry (id)"
_FORMS = ("vial", "ampoule", "bag", "syringe", "tablet", "capsule")
_SCALE = Decimal(10_000)


def upgrade() -> None:
    _create_tables()
    _widen_container()
    _widen_entry()
    _place_what_was_written()
    _guard()


def downgrade() -> None:
    for name in _REFUSALS:
        op.execute(f"DROP TRIGGER {name}" if guards.is_sqlite() else f"DROP TRIGGER {name} ON register_entry")
        if not guards.is_sqlite():
            op.execute(f"DROP FUNCTION {name}()")
    columns = ("about_id", "quantity_ml", "register_after_mg", "register_before_mg", "line", "register_id")
    containers = ("beyond_use_at", "opened_at", "product_code", "receipt_id", "register_id")
    if guards.is_sqlite():
        op.execute("DROP TRIGGER never_replaced_register_entry_insert")
    for trigger in (*(f"fixed_container_{column}" for column in _FIXED["container"]), "opened_container_opened_at"):
        op.execute(f"DROP TRIGGER {trigger}" if guards.is_sqlite() else f"DROP TRIGGER {trigger} ON container")
    op.drop_index("ix_register_entry_container_id_line", table_name="register_entry")
    op.drop_index("uq_register_entry_register_id_line", table_name="register_entry")
    op.drop_index("uq_register_entry_about_id", table_name="register_entry")
    op.drop_index("ix_container_register_id", table_name="container")
    if guards.is_sqlite():
        # SQLite drops a column only after every check that names it.
        guards.rebuild("register_entry", (_checks(), ""), (_NEW_KINDS, _KINDS))
    else:
        for name in _CHECKS:
            op.execute(f"ALTER TABLE register_entry DROP CONSTRAINT ck_register_entry_{name}")
        _set_kinds(_KINDS)
    for column in columns:
        op.drop_column("register_entry", column)
    for column in containers:
        op.drop_column("container", column)
    for table in ("lot_recall", "receipt", "register", "cabinet"):
        op.drop_table(table)


def _create_tables() -> None:
    amount = sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql")
    op.create_table(
        "cabinet",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_cabinet_clinic_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_cabinet_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cabinet")),
        sa.UniqueConstraint("clinic_id", "name", name=op.f("uq_cabinet_clinic_id_name")),
    )
    op.create_table(
        "register",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("cabinet_id", sa.Uuid(), nullable=False),
        sa.Column("drug_name", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("strength_mg_ml", amount, nullable=True),
        sa.Column("size_ml", amount, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["cabinet_id"], ["cabinet.id"], name=op.f("fk_register_cabinet_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_register_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register")),
        sa.UniqueConstraint("cabinet_id", "name", name=op.f("uq_register_cabinet_id_name")),
    )
    op.create_table(
        "receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("supplier", sa.Text(), nullable=False),
        sa.Column("supplier_address", sa.Text(), nullable=True),
        sa.Column("supplier_number", sa.Text(), nullable=True),
        sa.Column("invoice", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_receipt_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_receipt_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
    )
    op.create_table(
        "lot_recall",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("drug_name", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_lot_recall_correction_says_why")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_lot_recall_clinic_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_lot_recall_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["lot_recall.id"], name=op.f("fk_lot_recall_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_recall")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_lot_recall_supersedes_id")),
    )


def _widen_container() -> None:
    key = "CHAR(32)" if guards.is_sqlite() else "UUID"
    for column, target in (("register_id", "register"), ("receipt_id", "receipt")):
        name = f"fk_container_{column}"
        op.execute(f"ALTER TABLE container ADD COLUMN {column} {key} CONSTRAINT {name} REFERENCES {target} (id)")
    op.add_column("container", sa.Column("product_code", sa.Text(), nullable=True))
    op.add_column("container", sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("container", sa.Column("beyond_use_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_container_register_id", "container", ["register_id"], unique=False)


def _widen_entry() -> None:
    key, amount = ("CHAR(32)", "BIGINT") if guards.is_sqlite() else ("UUID", "NUMERIC(18, 4)")
    add = "ALTER TABLE register_entry ADD COLUMN"
    op.execute(f"{add} register_id {key} CONSTRAINT fk_register_entry_register_id REFERENCES register (id)")
    op.execute(f"{add} line INTEGER")
    op.execute(f"{add} register_before_mg {amount}")
    op.execute(f"{add} register_after_mg {amount}")
    op.execute(f"{add} quantity_ml {amount}")
    op.execute(f"{add} about_id {key} CONSTRAINT fk_register_entry_about_id REFERENCES register_entry (id)")
    if guards.is_sqlite():
        guards.rebuild("register_entry", (_KINDS, _NEW_KINDS))
    else:
        _set_kinds(_NEW_KINDS)


def _set_kinds(kinds: str) -> None:
    name = "ck_register_entry_register_kind"
    op.execute(f"ALTER TABLE register_entry DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE register_entry ADD CONSTRAINT {name} CHECK (kind IN ({kinds}))")


def _place_what_was_written() -> None:
    """Give every container its page and every line its place: pages are filled in the order of writing."""
    bind = op.get_bind()
    if guards.is_sqlite():
        op.execute(f"DROP TRIGGER {_GUARD}")
    else:
        op.execute(f"ALTER TABLE register_entry DISABLE TRIGGER {_GUARD}")
    pages = _Pages(bind)
    for container in bind.execute(sa.text("SELECT * FROM container ORDER BY received_at, id")).mappings():
        pages.place(container)
    lines = bind.execute(sa.text("SELECT * FROM register_entry ORDER BY recorded_at, id")).mappings().all()
    for values in pages.lines(lines):
        bind.execute(
            sa.text(
                "UPDATE register_entry SET register_id = :page, line = :line, register_before_mg = :before, "
                "register_after_mg = :after WHERE id = :id"
            ),
            values,
        )
    if guards.is_sqlite():
        guards.rebuild("register_entry", (_LAST, _LAST + _checks()))
        guards.rebuild("container", ("register_id CHAR(32)", "register_id CHAR(32) NOT NULL"))
        guards.refuse(_GUARD, "register_entry", "UPDATE")
    else:
        op.execute(f"ALTER TABLE register_entry ENABLE TRIGGER {_GUARD}")
        op.execute("ALTER TABLE container ALTER COLUMN register_id SET NOT NULL")
        for name, check in _CHECKS.items():
            op.execute(f"ALTER TABLE register_entry ADD CONSTRAINT ck_register_entry_{name} CHECK ({check})")


class _Pages:
    """The pages made so far, and where each stands."""

    def __init__(self, bind: sa.Connection) -> None:
        self.bind = bind
        self.cabinets: dict[Any, Any] = {}
        self.made: dict[tuple[Any, str], Any] = {}
        self.of_container: dict[Any, Any] = {}
        self.last: dict[Any, tuple[int, Any]] = {}
        self.of_account: dict[tuple[Any, str], Any] = {}

    def place(self, container: Any) -> None:
        """Put a container on the page of its drug, strength and form, in the one cabinet that its clinic has."""
        form = next((word for word in _FORMS if word in container["description"].lower()), "container")
        name = _name(container["drug_name"], form, container["strength_mg_ml"], container["size_ml"])
        clinic = container["clinic_id"]
        if (clinic, name) not in self.made:
            self.made[clinic, name] = self._insert(
                "register",
                clinic_id=clinic,
                cabinet_id=self._cabinet(clinic),
                drug_name=container["drug_name"],
                form=form,
                strength_mg_ml=container["strength_mg_ml"],
                size_ml=container["size_ml"],
                name=name,
            )
        page = self.of_container[container["id"]] = self.made[clinic, name]
        self.bind.execute(
            sa.text("UPDATE container SET register_id = :page WHERE id = :id"),
            {"page": page, "id": container["id"]},
        )

    def lines(self, entries: Any) -> Iterator[dict[str, Any]]:
        """Yield the place of each line that belongs to a page."""
        for entry in entries:
            page = self.of_container.get(entry["container_id"])
            about = (entry["account_id"], entry["drug_name"])
            if page is not None and entry["kind"] == "withdraw":
                self.of_account[about] = page
            page = page or (self.of_account.get(about) if entry["account_id"] else None)
            if page is None:
                continue
            line, before = self.last.get(page, (0, 0))
            after = before + (_effect(entry["kind"], entry["quantity_mg"]) if entry["container_id"] else 0)
            self.last[page] = (line + 1, after)
            yield {"page": page, "line": line + 1, "before": before, "after": after, "id": entry["id"]}

    def _cabinet(self, clinic: Any) -> Any:
        if clinic not in self.cabinets:
            site = self.bind.execute(
                sa.text("SELECT id FROM site WHERE clinic_id = :clinic ORDER BY name LIMIT 1"), {"clinic": clinic}
            ).scalar_one()
            values = {"clinic_id": clinic, "site_id": site, "name": "Drug cabinet", "is_retired": False}
            self.cabinets[clinic] = self._insert("cabinet", **values)
        return self.cabinets[clinic]

    def _insert(self, table: str, **values: Any) -> Any:
        values["id"] = uuid.uuid4().hex if guards.is_sqlite() else uuid.uuid4()
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        self.bind.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)
        return values["id"]


def _effect(kind: str, quantity: Any) -> Any:
    if kind in {"receive", "return", "adjust"}:
        return quantity
    return -quantity if kind in {"withdraw", "transfer", "destroy"} else 0


def _name(drug: str, form: str, strength: Any, size: Any) -> str:
    if strength is None:
        return f"{drug}, {form}"
    scale = _SCALE if guards.is_sqlite() else Decimal(1)
    per_ml = Decimal(strength) / scale
    if size is None:
        return f"{drug} {_plain(per_ml)} mg per mL, {form}"
    ml = Decimal(size) / scale
    return f"{drug} {_plain(per_ml * ml)} mg per {_plain(ml)} mL {form}"


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _guard() -> None:
    op.create_index("uq_register_entry_register_id_line", "register_entry", ["register_id", "line"], unique=True)
    op.create_index("uq_register_entry_about_id", "register_entry", ["about_id"], unique=True)
    op.create_index("ix_register_entry_container_id_line", "register_entry", ["container_id", "line"], unique=False)
    guards.append_only(_WRITTEN_ONCE)
    guards.never_deleted(["cabinet"])
    for table, columns in _FIXED.items():
        guards.fixed(table, columns)
    opened = f"OLD.opened_at IS NOT NULL AND {guards.distinct('opened_at')}"
    guards.refuse("opened_container_opened_at", "container", "UPDATE OF opened_at", opened)
    for name, condition in _REFUSALS.items():
        _refuse_line(name, condition)
    if guards.is_sqlite():
        guards.never_replaced("cabinet", [("id", ""), ("clinic_id, name", "")], ("INSERT", "UPDATE"))
        guards.never_replaced("register", [("cabinet_id, name", "")], ("INSERT",))
        guards.never_replaced("lot_recall", [("supersedes_id", "")], ("INSERT",))
        guards.never_replaced("register_entry", [("register_id, line", ""), ("about_id", "")], ("INSERT",))


def _refuse_line(name: str, condition: str) -> None:
    if guards.is_sqlite():
        guards.refuse(name, "register_entry", "INSERT", condition)
        return
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN "
        f"RAISE EXCEPTION USING MESSAGE = '{name}', ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{name}';"
        " END IF; RETURN NEW; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE INSERT ON register_entry FOR EACH ROW EXECUTE FUNCTION {name}()")


def _checks() -> str:
    return "".join(f" CONSTRAINT ck_register_entry_{name} CHECK ({check})" for name, check in _CHECKS.items())
