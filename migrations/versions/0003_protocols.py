"""The formulary, protocols and the terms they are made of."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "drug",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=True),
        sa.Column("strength_mg_ml", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column("form", sa.Text(), nullable=True),
        sa.Column("is_controlled", sa.Boolean(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=True),
        sa.Column("rxcui", sa.Text(), nullable=True),
        sa.Column("is_retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_drug_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drug")),
        sa.UniqueConstraint("clinic_id", "name", "product", name=op.f("uq_drug_clinic_id_name_product")),
    )
    op.create_table(
        "protocol",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_fictional", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_protocol_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_protocol")),
        sa.UniqueConstraint("clinic_id", "name", name=op.f("uq_protocol_clinic_id_name")),
    )
    op.create_table(
        "terms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("drug_id", sa.Uuid(), nullable=False),
        sa.Column("product", sa.Text(), nullable=True),
        sa.Column("diluent", sa.Text(), nullable=True),
        sa.Column("concentration_mg_ml", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column(
            "basis",
            sa.Enum(
                "mg/kg",
                "mg",
                "mg/kg/h",
                "mg/h",
                "mcg/kg/min",
                name="basis",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "weight_rule",
            sa.Enum(
                "actual", "ideal", "adjusted", name="weight_rule", native_enum=False, create_constraint=True, length=40
            ),
            nullable=True,
        ),
        sa.Column("start_amount", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column("step_amount", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column("step_every_min", sa.Integer(), nullable=True),
        sa.Column("step_condition", sa.Text(), nullable=True),
        sa.Column("highest_amount", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column("maximum_rate", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column(
            "maximum_rate_unit",
            sa.Enum(
                "mg/kg",
                "mg",
                "mg/kg/h",
                "mg/h",
                "mcg/kg/min",
                name="maximum_rate_unit",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("maximum_total_mg", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column("course_maximum_mg", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column("duration_min", sa.Integer(), nullable=True),
        sa.Column("maximum_duration_min", sa.Integer(), nullable=True),
        sa.Column("bolus_mg", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column("bolus_over_min", sa.Integer(), nullable=True),
        sa.Column("pump_step_ml_h", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column(
            "sedation_scale",
            sa.Enum(
                "RASS",
                "MOAA/S",
                "Ramsay",
                "POSS",
                "AVPU",
                name="sedation_scale",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("notify_text", sa.Text(), nullable=True),
        sa.Column("outside_limit_text", sa.Text(), nullable=True),
        sa.Column("recheck_min", sa.Integer(), nullable=True),
        sa.Column("grace_min", sa.Integer(), nullable=True),
        sa.Column("monitoring", sa.Text(), nullable=True),
        sa.Column("adjuncts", sa.Text(), nullable=True),
        sa.Column("fasting_solid_h", sa.BigInteger().with_variant(sa.Numeric(18, 1), "postgresql"), nullable=True),
        sa.Column("fasting_clear_h", sa.BigInteger().with_variant(sa.Numeric(18, 1), "postgresql"), nullable=True),
        sa.Column("is_escort_required", sa.Boolean(), nullable=True),
        sa.Column("is_pregnancy_test_required", sa.Boolean(), nullable=True),
        sa.Column(
            "discharge_scale",
            sa.Enum(
                "mpadss",
                "padss",
                "aldrete",
                name="discharge_scale",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("discharge_cutoff", sa.Integer(), nullable=True),
        sa.Column("recovery_min", sa.Integer(), nullable=True),
        sa.Column("sessions_planned", sa.Integer(), nullable=True),
        sa.Column("apart_min_days", sa.Integer(), nullable=True),
        sa.Column("apart_max_days", sa.Integer(), nullable=True),
        sa.Column("spacing_text", sa.Text(), nullable=True),
        sa.Column("precheck_slot_min", sa.Integer(), nullable=True),
        sa.Column("recovery_slot_min", sa.Integer(), nullable=True),
        sa.Column("turnaround_min", sa.Integer(), nullable=True),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("apart_max_days >= apart_min_days", name=op.f("ck_terms_spacing_runs_forward")),
        sa.CheckConstraint("concentration_mg_ml > 0", name=op.f("ck_terms_concentration_is_positive")),
        sa.CheckConstraint("duration_min > 0", name=op.f("ck_terms_duration_is_positive")),
        sa.CheckConstraint("maximum_duration_min >= duration_min", name=op.f("ck_terms_time_cap_covers_duration")),
        sa.CheckConstraint("maximum_rate > 0", name=op.f("ck_terms_maximum_rate_is_positive")),
        sa.CheckConstraint("maximum_total_mg > 0", name=op.f("ck_terms_maximum_total_is_positive")),
        sa.CheckConstraint("sessions_planned > 0", name=op.f("ck_terms_sessions_planned_is_positive")),
        sa.CheckConstraint("start_amount > 0", name=op.f("ck_terms_start_is_positive")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_terms_clinic_id")),
        sa.ForeignKeyConstraint(["drug_id"], ["drug.id"], name=op.f("fk_terms_drug_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms")),
    )
    op.create_table(
        "check_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("terms_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "identity",
                "allergies",
                "consent",
                "order",
                "weight",
                "fasting",
                "escort",
                "changes",
                "substances",
                "pregnancy",
                "iv-access",
                "readiness",
                "vitals",
                "supervising",
                "double-check",
                "other",
                name="check_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=True),
        sa.Column(
            "effect",
            sa.Enum("hard", "soft", "notify", name="gate_effect", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_check_item_clinic_id")),
        sa.ForeignKeyConstraint(["terms_id"], ["terms.id"], name=op.f("fk_check_item_terms_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_item")),
        sa.UniqueConstraint("terms_id", "position", name=op.f("uq_check_item_terms_id_position")),
    )
    op.create_table(
        "observation_phase",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("terms_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "anchor",
            sa.Enum(
                "precheck",
                "start",
                "rate_change",
                "bolus",
                "prn",
                "pause",
                "stop",
                name="anchor",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("every_min", sa.Integer(), nullable=True),
        sa.Column("for_min", sa.Integer(), nullable=True),
        sa.Column("times", sa.Integer(), nullable=True),
        sa.Column("after_min", sa.Integer(), nullable=True),
        sa.Column("items", sa.JSON(), nullable=True),
        sa.CheckConstraint("every_min > 0", name=op.f("ck_observation_phase_interval_is_positive")),
        sa.CheckConstraint(
            "every_min IS NOT NULL OR after_min IS NOT NULL", name=op.f("ck_observation_phase_phase_says_when")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_observation_phase_clinic_id")),
        sa.ForeignKeyConstraint(["terms_id"], ["terms.id"], name=op.f("fk_observation_phase_terms_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observation_phase")),
        sa.UniqueConstraint("terms_id", "position", name=op.f("uq_observation_phase_terms_id_position")),
    )
    op.create_table(
        "order_limit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("terms_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "level",
            sa.Enum(
                "start", "notify", "hold", name="limit_level", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column(
            "vital",
            sa.Enum(
                "sbp",
                "dbp",
                "map",
                "hr",
                "rr",
                "spo2",
                "o2_l_min",
                "etco2",
                "temp",
                "sedation",
                "pain",
                "dissociation",
                "nausea",
                name="vital",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "comparator",
            sa.Enum(
                "lt", "le", "gt", "ge", "eq", name="comparator", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("bound", sa.BigInteger().with_variant(sa.Numeric(18, 1), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_order_limit_clinic_id")),
        sa.ForeignKeyConstraint(["terms_id"], ["terms.id"], name=op.f("fk_order_limit_terms_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_limit")),
        sa.UniqueConstraint("terms_id", "position", name=op.f("uq_order_limit_terms_id_position")),
    )
    op.create_table(
        "prn_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("terms_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("drug_name", sa.Text(), nullable=False),
        sa.Column("dose", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("maximum_count", sa.Integer(), nullable=True),
        sa.Column("minimum_gap_min", sa.Integer(), nullable=True),
        sa.Column("over_min", sa.Integer(), nullable=True),
        sa.Column("trigger", sa.Text(), nullable=True),
        sa.Column("is_controlled", sa.Boolean(), nullable=False),
        sa.CheckConstraint("dose > 0", name=op.f("ck_prn_item_dose_is_positive")),
        sa.CheckConstraint("maximum_count > 0", name=op.f("ck_prn_item_count_is_positive")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_prn_item_clinic_id")),
        sa.ForeignKeyConstraint(["terms_id"], ["terms.id"], name=op.f("fk_prn_item_terms_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prn_item")),
        sa.UniqueConstraint("terms_id", "position", name=op.f("uq_prn_item_terms_id_position")),
    )
    op.create_table(
        "protocol_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("protocol_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "active",
                "retired",
                name="protocol_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("terms_id", sa.Uuid(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drafted_by_id", sa.Uuid(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_protocol_version_number_is_positive")),
        sa.ForeignKeyConstraint(["approved_by_id"], ["staff.id"], name=op.f("fk_protocol_version_approved_by_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_protocol_version_clinic_id")),
        sa.ForeignKeyConstraint(["drafted_by_id"], ["staff.id"], name=op.f("fk_protocol_version_drafted_by_id")),
        sa.ForeignKeyConstraint(["protocol_id"], ["protocol.id"], name=op.f("fk_protocol_version_protocol_id")),
        sa.ForeignKeyConstraint(["terms_id"], ["terms.id"], name=op.f("fk_protocol_version_terms_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_protocol_version")),
        sa.UniqueConstraint("protocol_id", "number", name=op.f("uq_protocol_version_protocol_id_number")),
        sa.UniqueConstraint("terms_id", name=op.f("uq_protocol_version_terms_id")),
    )

    guards.never_deleted(["drug", "protocol", "protocol_version"])
    guards.fixed("protocol_version", ["protocol_id", "number", "terms_id"])
    # Signed or approved terms never change, neither by themselves nor through the rows that hang on them.
    guards.refuse("sealed_terms_update", "terms", "UPDATE", "OLD.sealed_at IS NOT NULL")
    guards.refuse("sealed_terms_delete", "terms", "DELETE", "OLD.sealed_at IS NOT NULL")
    guards.refuse_truncate("terms")
    _seal_children()


def downgrade() -> None:
    op.drop_table("protocol_version")
    op.drop_table("prn_item")
    op.drop_table("order_limit")
    op.drop_table("observation_phase")
    op.drop_table("check_item")
    op.drop_table("terms")
    op.drop_table("protocol")
    op.drop_table("drug")
    if not guards.is_sqlite():
        op.execute("DROP FUNCTION refuse_when_sealed()")


CHILDREN = ("order_limit", "prn_item", "observation_phase", "check_item")


def _seal_children() -> None:
    if not guards.is_sqlite():
        op.execute(
            "CREATE FUNCTION refuse_when_sealed() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE sealed boolean; BEGIN "
            "SELECT bool_or(sealed_at IS NOT NULL) INTO sealed FROM terms "
            "WHERE (TG_OP <> 'INSERT' AND id = OLD.terms_id) OR (TG_OP <> 'DELETE' AND id = NEW.terms_id); "
            "IF sealed THEN RAISE EXCEPTION USING MESSAGE = TG_NAME, "
            "ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME; END IF; "
            "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$"
        )
    for table in CHILDREN:
        for event, row in (("INSERT", "NEW"), ("UPDATE", "OLD"), ("DELETE", "OLD")):
            name = f"sealed_terms_{table}_{event.lower()}"
            if guards.is_sqlite():
                sealed = f"(SELECT sealed_at FROM terms WHERE id = {row}.terms_id) IS NOT NULL"
                guards.refuse(name, table, event, sealed)
            else:
                op.execute(
                    f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW "
                    "EXECUTE FUNCTION refuse_when_sealed()"
                )
