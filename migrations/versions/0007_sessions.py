"""Sessions and everything that is seen and done in them."""

import sqlalchemy as sa
from alembic import op

from migrations import guards

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "infusion_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("order_version_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("chair_id", sa.Uuid(), nullable=False),
        sa.Column("nurse_id", sa.Uuid(), nullable=True),
        sa.Column("supervising_id", sa.Uuid(), nullable=True),
        sa.Column("weight_id", sa.Uuid(), nullable=True),
        sa.Column("drug_account_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "planned",
                "prechecking",
                "ready",
                "infusing",
                "paused",
                "recovering",
                "closed-home",
                "closed-transfer",
                "closed-against-advice",
                "not-done",
                name="session_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_infusion_session_number_is_positive")),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointment.id"], name=op.f("fk_infusion_session_appointment_id")
        ),
        sa.ForeignKeyConstraint(["chair_id"], ["chair.id"], name=op.f("fk_infusion_session_chair_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_infusion_session_clinic_id")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_infusion_session_course_id")),
        sa.ForeignKeyConstraint(
            ["drug_account_id"], ["drug_account.id"], name=op.f("fk_infusion_session_drug_account_id")
        ),
        sa.ForeignKeyConstraint(["nurse_id"], ["staff.id"], name=op.f("fk_infusion_session_nurse_id")),
        sa.ForeignKeyConstraint(
            ["order_version_id"], ["order_version.id"], name=op.f("fk_infusion_session_order_version_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_infusion_session_patient_id")),
        sa.ForeignKeyConstraint(["supervising_id"], ["staff.id"], name=op.f("fk_infusion_session_supervising_id")),
        sa.ForeignKeyConstraint(["weight_id"], ["weight.id"], name=op.f("fk_infusion_session_weight_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_infusion_session")),
        sa.UniqueConstraint("appointment_id", name=op.f("uq_infusion_session_appointment_id")),
        sa.UniqueConstraint("drug_account_id", name=op.f("uq_infusion_session_drug_account_id")),
    )
    op.create_index(
        op.f("ix_infusion_session_clinic_id_status"), "infusion_session", ["clinic_id", "status"], unique=False
    )
    op.create_index(op.f("ix_infusion_session_course_id"), "infusion_session", ["course_id"], unique=False)
    op.create_index(op.f("ix_infusion_session_patient_id"), "infusion_session", ["patient_id"], unique=False)
    op.create_table(
        "adverse_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column(
            "actuality",
            sa.Enum("actual", "potential", name="actuality", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("onset_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.Column("is_serious", sa.Boolean(), nullable=True),
        sa.Column("serious_criterion", sa.Text(), nullable=True),
        sa.Column("causality", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "resolved",
                "recovering",
                "ongoing",
                "resolved-with-sequelae",
                "fatal",
                "unknown",
                name="adverse_outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint("grade BETWEEN 1 AND 5", name=op.f("ck_adverse_event_grade_is_1_to_5")),
        sa.CheckConstraint("resolved_at >= onset_at", name=op.f("ck_adverse_event_resolves_after_onset")),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_adverse_event_correction_says_why")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_adverse_event_clinic_id")),
        sa.ForeignKeyConstraint(["infusion_id"], ["infusion_session.id"], name=op.f("fk_adverse_event_infusion_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_adverse_event_patient_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_adverse_event_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["adverse_event.id"], name=op.f("fk_adverse_event_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adverse_event")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_adverse_event_supersedes_id")),
    )
    op.create_index(op.f("ix_adverse_event_infusion_id"), "adverse_event", ["infusion_id"], unique=False)
    op.create_index(op.f("ix_adverse_event_patient_id"), "adverse_event", ["patient_id"], unique=False)
    op.create_table(
        "discharge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=False),
        sa.Column("discharged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "exit",
            sa.Enum(
                "home-with-escort",
                "home-alone",
                "transfer",
                "against-advice",
                "admitted",
                name="discharge_exit",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("escort_name", sa.Text(), nullable=True),
        sa.Column("escort_phone", sa.Text(), nullable=True),
        sa.Column("instructions", sa.Text(), nullable=True),
        sa.Column("instructions_language", sa.Text(), nullable=True),
        sa.Column("is_cannula_removed", sa.Boolean(), nullable=False),
        sa.Column("is_escort_present", sa.Boolean(), nullable=False),
        sa.Column("are_belongings_returned", sa.Boolean(), nullable=True),
        sa.Column("destination", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("override_by_id", sa.Uuid(), nullable=True),
        sa.Column("override_reason", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "exit <> 'transfer' OR destination IS NOT NULL", name=op.f("ck_discharge_transfer_names_destination")
        ),
        sa.CheckConstraint(
            "override_by_id IS NULL OR override_reason IS NOT NULL", name=op.f("ck_discharge_override_says_why")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_discharge_clinic_id")),
        sa.ForeignKeyConstraint(["infusion_id"], ["infusion_session.id"], name=op.f("fk_discharge_infusion_id")),
        sa.ForeignKeyConstraint(["override_by_id"], ["staff.id"], name=op.f("fk_discharge_override_by_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_discharge_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discharge")),
        sa.UniqueConstraint("infusion_id", name=op.f("uq_discharge_infusion_id")),
    )
    op.create_table(
        "discharge_assessment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=False),
        sa.Column(
            "scale",
            sa.Enum(
                "mpadss",
                "padss",
                "aldrete",
                name="discharge_scale",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("assessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("item_1", sa.Integer(), nullable=True),
        sa.Column("item_2", sa.Integer(), nullable=True),
        sa.Column("item_3", sa.Integer(), nullable=True),
        sa.Column("item_4", sa.Integer(), nullable=True),
        sa.Column("item_5", sa.Integer(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint("item_1 BETWEEN 0 AND 2", name=op.f("ck_discharge_assessment_item_1_is_0_to_2")),
        sa.CheckConstraint("item_2 BETWEEN 0 AND 2", name=op.f("ck_discharge_assessment_item_2_is_0_to_2")),
        sa.CheckConstraint("item_3 BETWEEN 0 AND 2", name=op.f("ck_discharge_assessment_item_3_is_0_to_2")),
        sa.CheckConstraint("item_4 BETWEEN 0 AND 2", name=op.f("ck_discharge_assessment_item_4_is_0_to_2")),
        sa.CheckConstraint("item_5 BETWEEN 0 AND 2", name=op.f("ck_discharge_assessment_item_5_is_0_to_2")),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL",
            name=op.f("ck_discharge_assessment_correction_says_why"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_discharge_assessment_clinic_id")),
        sa.ForeignKeyConstraint(
            ["infusion_id"], ["infusion_session.id"], name=op.f("fk_discharge_assessment_infusion_id")
        ),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_discharge_assessment_recorded_by_id")),
        sa.ForeignKeyConstraint(
            ["supersedes_id"], ["discharge_assessment.id"], name=op.f("fk_discharge_assessment_supersedes_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discharge_assessment")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_discharge_assessment_supersedes_id")),
    )
    op.create_index(op.f("ix_discharge_assessment_infusion_id"), "discharge_assessment", ["infusion_id"], unique=False)
    op.create_table(
        "gate_answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=False),
        sa.Column("check_item_id", sa.Uuid(), nullable=False),
        sa.Column(
            "result",
            sa.Enum(
                "pass",
                "fail",
                "not-applicable",
                "overridden",
                name="gate_result",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("contact_name", sa.Text(), nullable=True),
        sa.Column("contact_phone", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "result <> 'overridden' OR detail IS NOT NULL", name=op.f("ck_gate_answer_override_says_why")
        ),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_gate_answer_correction_says_why")
        ),
        sa.ForeignKeyConstraint(["check_item_id"], ["check_item.id"], name=op.f("fk_gate_answer_check_item_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_gate_answer_clinic_id")),
        sa.ForeignKeyConstraint(["infusion_id"], ["infusion_session.id"], name=op.f("fk_gate_answer_infusion_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_gate_answer_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["gate_answer.id"], name=op.f("fk_gate_answer_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_answer")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_gate_answer_supersedes_id")),
    )
    op.create_index(op.f("ix_gate_answer_infusion_id"), "gate_answer", ["infusion_id"], unique=False)
    op.create_table(
        "iv_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=False),
        sa.Column(
            "action",
            sa.Enum(
                "placed", "checked", "removed", name="iv_action", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("gauge", sa.Text(), nullable=True),
        sa.Column("vip_score", sa.Integer(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_iv_record_clinic_id")),
        sa.ForeignKeyConstraint(["infusion_id"], ["infusion_session.id"], name=op.f("fk_iv_record_infusion_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_iv_record_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_iv_record")),
    )
    op.create_index(op.f("ix_iv_record_infusion_id"), "iv_record", ["infusion_id"], unique=False)
    op.create_table(
        "observation_not_done",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "not-performed",
                "asked-declined",
                name="not_done_reason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_observation_not_done_clinic_id")),
        sa.ForeignKeyConstraint(
            ["infusion_id"], ["infusion_session.id"], name=op.f("fk_observation_not_done_infusion_id")
        ),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_observation_not_done_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observation_not_done")),
        sa.UniqueConstraint("infusion_id", "due_at", name=op.f("uq_observation_not_done_infusion_id_due_at")),
    )
    op.create_table(
        "observation_set",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=False),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sbp", sa.Integer(), nullable=True),
        sa.Column("dbp", sa.Integer(), nullable=True),
        sa.Column("map", sa.Integer(), nullable=True),
        sa.Column("hr", sa.Integer(), nullable=True),
        sa.Column("rr", sa.Integer(), nullable=True),
        sa.Column("spo2", sa.Integer(), nullable=True),
        sa.Column("o2_l_min", sa.BigInteger().with_variant(sa.Numeric(18, 1), "postgresql"), nullable=True),
        sa.Column("etco2", sa.Integer(), nullable=True),
        sa.Column("temp", sa.BigInteger().with_variant(sa.Numeric(18, 1), "postgresql"), nullable=True),
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
        sa.Column("sedation", sa.Integer(), nullable=True),
        sa.Column("pain", sa.Integer(), nullable=True),
        sa.Column("dissociation", sa.Integer(), nullable=True),
        sa.Column("nausea", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("order_version_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(sbp IS NULL) = (dbp IS NULL)", name=op.f("ck_observation_set_bp_is_a_pair")),
        sa.CheckConstraint("dbp BETWEEN 10 AND 200", name=op.f("ck_observation_set_dbp_is_possible")),
        sa.CheckConstraint("dissociation BETWEEN 0 AND 3", name=op.f("ck_observation_set_dissociation_is_0_to_3")),
        sa.CheckConstraint("etco2 BETWEEN 0 AND 150", name=op.f("ck_observation_set_etco2_is_possible")),
        sa.CheckConstraint("hr BETWEEN 10 AND 300", name=op.f("ck_observation_set_hr_is_possible")),
        sa.CheckConstraint("map BETWEEN 15 AND 250", name=op.f("ck_observation_set_map_is_possible")),
        sa.CheckConstraint("nausea BETWEEN 0 AND 3", name=op.f("ck_observation_set_nausea_is_0_to_3")),
        sa.CheckConstraint("observed_at <= recorded_at", name=op.f("ck_observation_set_not_in_future")),
        sa.CheckConstraint("pain BETWEEN 0 AND 10", name=op.f("ck_observation_set_pain_is_0_to_10")),
        sa.CheckConstraint("rr BETWEEN 0 AND 80", name=op.f("ck_observation_set_rr_is_possible")),
        sa.CheckConstraint("sbp > dbp", name=op.f("ck_observation_set_sbp_is_above_dbp")),
        sa.CheckConstraint("sbp BETWEEN 30 AND 300", name=op.f("ck_observation_set_sbp_is_possible")),
        sa.CheckConstraint(
            "sedation IS NULL OR sedation_scale IS NOT NULL", name=op.f("ck_observation_set_sedation_names_its_scale")
        ),
        sa.CheckConstraint("spo2 BETWEEN 10 AND 100", name=op.f("ck_observation_set_spo2_is_possible")),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL",
            name=op.f("ck_observation_set_correction_says_why"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_observation_set_clinic_id")),
        sa.ForeignKeyConstraint(["infusion_id"], ["infusion_session.id"], name=op.f("fk_observation_set_infusion_id")),
        sa.ForeignKeyConstraint(
            ["order_version_id"], ["order_version.id"], name=op.f("fk_observation_set_order_version_id")
        ),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_observation_set_recorded_by_id")),
        sa.ForeignKeyConstraint(
            ["supersedes_id"], ["observation_set.id"], name=op.f("fk_observation_set_supersedes_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observation_set")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_observation_set_supersedes_id")),
    )
    op.create_index(
        op.f("ix_observation_set_infusion_id_observed_at"),
        "observation_set",
        ["infusion_id", "observed_at"],
        unique=False,
    )
    op.create_table(
        "prn_dose",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=False),
        sa.Column("prn_item_id", sa.Uuid(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dose", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint("dose > 0", name=op.f("ck_prn_dose_dose_is_positive")),
        sa.CheckConstraint("given_at <= recorded_at", name=op.f("ck_prn_dose_not_in_future")),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_prn_dose_correction_says_why")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_prn_dose_clinic_id")),
        sa.ForeignKeyConstraint(["infusion_id"], ["infusion_session.id"], name=op.f("fk_prn_dose_infusion_id")),
        sa.ForeignKeyConstraint(["prn_item_id"], ["prn_item.id"], name=op.f("fk_prn_dose_prn_item_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_prn_dose_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["prn_dose.id"], name=op.f("fk_prn_dose_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prn_dose")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_prn_dose_supersedes_id")),
    )
    op.create_index(op.f("ix_prn_dose_infusion_id"), "prn_dose", ["infusion_id"], unique=False)
    op.create_table(
        "rate_proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "start",
                "rate_change",
                "resume",
                "hand_over",
                name="check_purpose",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("rate_ml_h", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("findings", sa.Text(), nullable=True),
        sa.Column("is_blocked", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("rate_ml_h > 0", name=op.f("ck_rate_proposal_rate_is_positive")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_rate_proposal_clinic_id")),
        sa.ForeignKeyConstraint(["infusion_id"], ["infusion_session.id"], name=op.f("fk_rate_proposal_infusion_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_rate_proposal_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rate_proposal")),
    )
    op.create_index(op.f("ix_rate_proposal_infusion_id"), "rate_proposal", ["infusion_id"], unique=False)
    op.create_table(
        "session_transition",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=False),
        sa.Column(
            "from_status",
            sa.Enum(
                "planned",
                "prechecking",
                "ready",
                "infusing",
                "paused",
                "recovering",
                "closed-home",
                "closed-transfer",
                "closed-against-advice",
                "not-done",
                name="from_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "to_status",
            sa.Enum(
                "planned",
                "prechecking",
                "ready",
                "infusing",
                "paused",
                "recovering",
                "closed-home",
                "closed-transfer",
                "closed-against-advice",
                "not-done",
                name="to_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_session_transition_clinic_id")),
        sa.ForeignKeyConstraint(
            ["infusion_id"], ["infusion_session.id"], name=op.f("fk_session_transition_infusion_id")
        ),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_session_transition_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_transition")),
    )
    op.create_index(op.f("ix_session_transition_infusion_id"), "session_transition", ["infusion_id"], unique=False)
    op.create_table(
        "double_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("proposer_id", sa.Uuid(), nullable=False),
        sa.Column("checker_id", sa.Uuid(), nullable=False),
        sa.Column("computed_rate_ml_h", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_match", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("checker_id <> proposer_id", name=op.f("ck_double_check_checker_is_another_person")),
        sa.ForeignKeyConstraint(["checker_id"], ["staff.id"], name=op.f("fk_double_check_checker_id")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_double_check_clinic_id")),
        sa.ForeignKeyConstraint(["infusion_id"], ["infusion_session.id"], name=op.f("fk_double_check_infusion_id")),
        sa.ForeignKeyConstraint(["proposal_id"], ["rate_proposal.id"], name=op.f("fk_double_check_proposal_id")),
        sa.ForeignKeyConstraint(["proposer_id"], ["staff.id"], name=op.f("fk_double_check_proposer_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_double_check_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_double_check")),
    )
    op.create_index(op.f("ix_double_check_infusion_id"), "double_check", ["infusion_id"], unique=False)
    op.create_index(op.f("ix_double_check_proposal_id"), "double_check", ["proposal_id"], unique=False)
    op.create_table(
        "session_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "time_out",
                "notify",
                "intervention",
                "hand_over",
                "supervising",
                "row_note",
                "call",
                "other",
                name="session_event_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("observation_set_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint("happened_at <= recorded_at", name=op.f("ck_session_event_not_in_future")),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL", name=op.f("ck_session_event_correction_says_why")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_session_event_clinic_id")),
        sa.ForeignKeyConstraint(["infusion_id"], ["infusion_session.id"], name=op.f("fk_session_event_infusion_id")),
        sa.ForeignKeyConstraint(
            ["observation_set_id"], ["observation_set.id"], name=op.f("fk_session_event_observation_set_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["staff.id"], name=op.f("fk_session_event_person_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_session_event_recorded_by_id")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["session_event.id"], name=op.f("fk_session_event_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_event")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_session_event_supersedes_id")),
    )
    op.create_index(op.f("ix_session_event_infusion_id"), "session_event", ["infusion_id"], unique=False)
    op.create_table(
        "administration_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("infusion_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "start",
                "rate_change",
                "pause",
                "resume",
                "bolus",
                "bag_change",
                "stop",
                name="administration_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rate_ml_h", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column("concentration_mg_ml", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column("bolus_mg", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column("bolus_over_min", sa.BigInteger().with_variant(sa.Numeric(18, 2), "postgresql"), nullable=True),
        sa.Column("volume_to_infuse_ml", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column("pump_volume_ml", sa.BigInteger().with_variant(sa.Numeric(18, 4), "postgresql"), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("order_version_id", sa.Uuid(), nullable=False),
        sa.Column("double_check_id", sa.Uuid(), nullable=True),
        sa.Column("verbal_order_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind <> 'bolus' OR bolus_mg > 0", name=op.f("ck_administration_event_bolus_has_dose")),
        sa.CheckConstraint(
            "kind NOT IN ('start', 'rate_change', 'resume') OR rate_ml_h > 0",
            name=op.f("ck_administration_event_flow_has_rate"),
        ),
        sa.CheckConstraint("happened_at <= recorded_at", name=op.f("ck_administration_event_not_in_future")),
        sa.CheckConstraint(
            "supersedes_id IS NULL OR correction_reason IS NOT NULL",
            name=op.f("ck_administration_event_correction_says_why"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_administration_event_clinic_id")),
        sa.ForeignKeyConstraint(
            ["double_check_id"], ["double_check.id"], name=op.f("fk_administration_event_double_check_id")
        ),
        sa.ForeignKeyConstraint(
            ["infusion_id"], ["infusion_session.id"], name=op.f("fk_administration_event_infusion_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_version_id"], ["order_version.id"], name=op.f("fk_administration_event_order_version_id")
        ),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_administration_event_recorded_by_id")),
        sa.ForeignKeyConstraint(
            ["supersedes_id"], ["administration_event.id"], name=op.f("fk_administration_event_supersedes_id")
        ),
        sa.ForeignKeyConstraint(
            ["verbal_order_id"], ["verbal_order.id"], name=op.f("fk_administration_event_verbal_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_administration_event")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_administration_event_supersedes_id")),
    )
    op.create_index(
        op.f("ix_administration_event_infusion_id_happened_at"),
        "administration_event",
        ["infusion_id", "happened_at"],
        unique=False,
    )
    op.create_index(
        "uq_administration_event_one_start",
        "administration_event",
        ["infusion_id", "order_version_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'start' AND supersedes_id IS NULL"),
        postgresql_where=sa.text("kind = 'start' AND supersedes_id IS NULL"),
    )

    guards.never_deleted(["infusion_session"])
    guards.fixed("infusion_session", ["patient_id", "course_id", "appointment_id", "number"])
    guards.append_only(
        [
            "session_transition",
            "gate_answer",
            "rate_proposal",
            "double_check",
            "administration_event",
            "prn_dose",
            "observation_set",
            "observation_not_done",
            "iv_record",
            "session_event",
            "adverse_event",
            "discharge_assessment",
            "discharge",
        ]
    )


def downgrade() -> None:
    op.drop_index(
        "uq_administration_event_one_start",
        table_name="administration_event",
        sqlite_where=sa.text("kind = 'start' AND supersedes_id IS NULL"),
        postgresql_where=sa.text("kind = 'start' AND supersedes_id IS NULL"),
    )
    op.drop_index(op.f("ix_administration_event_infusion_id_happened_at"), table_name="administration_event")
    op.drop_table("administration_event")
    op.drop_index(op.f("ix_session_event_infusion_id"), table_name="session_event")
    op.drop_table("session_event")
    op.drop_index(op.f("ix_double_check_proposal_id"), table_name="double_check")
    op.drop_index(op.f("ix_double_check_infusion_id"), table_name="double_check")
    op.drop_table("double_check")
    op.drop_index(op.f("ix_session_transition_infusion_id"), table_name="session_transition")
    op.drop_table("session_transition")
    op.drop_index(op.f("ix_rate_proposal_infusion_id"), table_name="rate_proposal")
    op.drop_table("rate_proposal")
    op.drop_index(op.f("ix_prn_dose_infusion_id"), table_name="prn_dose")
    op.drop_table("prn_dose")
    op.drop_index(op.f("ix_observation_set_infusion_id_observed_at"), table_name="observation_set")
    op.drop_table("observation_set")
    op.drop_table("observation_not_done")
    op.drop_index(op.f("ix_iv_record_infusion_id"), table_name="iv_record")
    op.drop_table("iv_record")
    op.drop_index(op.f("ix_gate_answer_infusion_id"), table_name="gate_answer")
    op.drop_table("gate_answer")
    op.drop_index(op.f("ix_discharge_assessment_infusion_id"), table_name="discharge_assessment")
    op.drop_table("discharge_assessment")
    op.drop_table("discharge")
    op.drop_index(op.f("ix_adverse_event_patient_id"), table_name="adverse_event")
    op.drop_index(op.f("ix_adverse_event_infusion_id"), table_name="adverse_event")
    op.drop_table("adverse_event")
    op.drop_index(op.f("ix_infusion_session_patient_id"), table_name="infusion_session")
    op.drop_index(op.f("ix_infusion_session_course_id"), table_name="infusion_session")
    op.drop_index(op.f("ix_infusion_session_clinic_id_status"), table_name="infusion_session")
    op.drop_table("infusion_session")
