"""Who may use which address, written out by hand, area by area.

Whoever adds a view adds its row; `test_access.py` names what is missing. The rows are not derived from the code, so
that a permission given by mistake is found.
"""

N, P, S, A = "nurse", "physician", "scheduler", "admin"

EVERYBODY = frozenset({N, P, S, A})
CLINICAL = frozenset({N, P})
CARE_AND_DESK = frozenset({N, P, S})
PHYSICIANS = frozenset({P})
DESK = frozenset({S})
ADMINS = frozenset({A})
# Nobody has to be signed in.
PUBLIC = frozenset({"public"})

SHELL = {"home": EVERYBODY, "offline.send_worker": PUBLIC, "offline.show_offline": PUBLIC}


ACCOUNTS = {
    "accounts.show_login": PUBLIC,
    "accounts.sign_in": PUBLIC,
    "accounts.end_login": EVERYBODY,
    "accounts.lock": EVERYBODY,
    "accounts.show_unlock": EVERYBODY,
    "accounts.unlock": EVERYBODY,
    "accounts.show_account": EVERYBODY,
    "accounts.change_password": EVERYBODY,
    "accounts.end_own_login": EVERYBODY,
    "accounts.show_invitation": PUBLIC,
    "accounts.accept_invitation": PUBLIC,
    "accounts.list_staff": ADMINS,
    "accounts.new_staff": ADMINS,
    "accounts.add_staff": ADMINS,
    "accounts.show_staff": ADMINS,
    "accounts.change_roles": ADMINS,
    "accounts.disable": ADMINS,
    "accounts.enable": ADMINS,
    "accounts.reset": ADMINS,
    "accounts.end_logins": ADMINS,
}

PATIENTS = {
    "patients.add_question": PHYSICIANS,
    "patients.answer_screening": CLINICAL,
    "patients.change": CARE_AND_DESK,
    "patients.change_problem": CLINICAL,
    "patients.correct_weight": CLINICAL,
    "patients.create": CARE_AND_DESK,
    "patients.list_patients": CARE_AND_DESK,
    "patients.record_allergy": CLINICAL,
    "patients.record_consent": CLINICAL,
    "patients.record_no_allergies": CLINICAL,
    "patients.record_weight": CLINICAL,
    "patients.retire_allergy": CLINICAL,
    "patients.settle_screening": PHYSICIANS,
    "patients.show_allergies": CLINICAL,
    "patients.show_consents": CLINICAL,
    "patients.show_details": CARE_AND_DESK,
    "patients.show_new": CARE_AND_DESK,
    "patients.show_patient": CARE_AND_DESK,
    "patients.show_questions": CLINICAL,
    "patients.show_screening": CLINICAL,
    "patients.show_weight_correction": CLINICAL,
    "patients.show_weights": CLINICAL,
    "patients.withdraw_consent": CLINICAL,
}
PROTOCOLS = {
    "protocols.add_drug": PHYSICIANS,
    "protocols.approve": PHYSICIANS,
    "protocols.change_clinic_limits": PHYSICIANS,
    "protocols.compare_versions": CLINICAL,
    "protocols.create": PHYSICIANS,
    "protocols.create_version": PHYSICIANS,
    "protocols.list_protocols": CLINICAL,
    "protocols.retire": PHYSICIANS,
    "protocols.revise": PHYSICIANS,
    "protocols.show_draft": PHYSICIANS,
    "protocols.show_formulary": CLINICAL,
    "protocols.show_limits": CLINICAL,
    "protocols.show_new": PHYSICIANS,
    "protocols.show_new_version": PHYSICIANS,
    "protocols.show_version": CLINICAL,
}
ORDERS = {
    "orders.show_verbal_order": CLINICAL,
    "orders.sign_verbal_order": PHYSICIANS,
}
COURSES = {
    "courses.adjust": PHYSICIANS,
    "courses.create": PHYSICIANS,
    "courses.drop_draft": PHYSICIANS,
    "courses.save_draft": PHYSICIANS,
    "courses.show_adjust": PHYSICIANS,
    "courses.show_draft": PHYSICIANS,
    "courses.show_new": PHYSICIANS,
    "courses.show_order": CLINICAL,
    "courses.show_spoken": CLINICAL,
    "courses.sign_order": PHYSICIANS,
    "courses.write_spoken": CLINICAL,
}
SCHEDULING = {
    "scheduling.add_chair": CARE_AND_DESK,
    "scheduling.add_shifts": CARE_AND_DESK,
    "scheduling.assign_nurse": CARE_AND_DESK,
    "scheduling.book_course": CARE_AND_DESK,
    "scheduling.cancel_appointment": CARE_AND_DESK,
    "scheduling.close_chair": CARE_AND_DESK,
    "scheduling.list_chairs": CARE_AND_DESK,
    "scheduling.list_shifts": CARE_AND_DESK,
    "scheduling.mark_no_show": CARE_AND_DESK,
    "scheduling.move_appointment": CARE_AND_DESK,
    "scheduling.remove_shift": CARE_AND_DESK,
    "scheduling.reopen_chair": CARE_AND_DESK,
    "scheduling.show_appointment": CARE_AND_DESK,
    "scheduling.show_booking": CARE_AND_DESK,
    "scheduling.show_calendar": CARE_AND_DESK,
    "scheduling.undo": CARE_AND_DESK,
}
DRUGLOG: dict[str, frozenset[str]] = {}
SESSIONS = {
    "sessions.arrive": CARE_AND_DESK,
    "sessions.refresh_session": CLINICAL,
    "sessions.refresh_today": CARE_AND_DESK,
    "sessions.show_appointment": CARE_AND_DESK,
    "sessions.show_recovery": CLINICAL,
    "sessions.show_session": CLINICAL,
    "sessions.show_today": CARE_AND_DESK,
    "sessions.adopt_order": CLINICAL,
    "sessions.answer_check": CLINICAL,
    "sessions.change_bag": CLINICAL,
    "sessions.change_rate": CLINICAL,
    "sessions.check_identity": CLINICAL,
    "sessions.close_not_done": CLINICAL,
    "sessions.correct": CLINICAL,
    "sessions.discharge": CLINICAL,
    "sessions.double_check": CLINICAL,
    "sessions.end_event": CLINICAL,
    "sessions.give_bolus": CLINICAL,
    "sessions.give_prn": CLINICAL,
    "sessions.hand_over": CLINICAL,
    "sessions.keep_waiting": CLINICAL,
    "sessions.mark_vitals_not_done": CLINICAL,
    "sessions.open_waiting": CLINICAL,
    "sessions.pause": CLINICAL,
    "sessions.print_session": CLINICAL,
    "sessions.propose_rate": CLINICAL,
    "sessions.record_drug": CLINICAL,
    "sessions.record_event": CLINICAL,
    "sessions.record_line": CLINICAL,
    "sessions.record_notice": CLINICAL,
    "sessions.record_row_note": CLINICAL,
    "sessions.record_time_out": CLINICAL,
    "sessions.record_vitals": CLINICAL,
    "sessions.record_weight": CLINICAL,
    "sessions.resume": CLINICAL,
    "sessions.set_supervising": CLINICAL,
    "sessions.show_bag": CLINICAL,
    "sessions.show_bolus": CLINICAL,
    "sessions.show_checklist": CLINICAL,
    "sessions.show_correction": CLINICAL,
    "sessions.show_discharge": CLINICAL,
    "sessions.show_double_check": CLINICAL,
    "sessions.show_drug": CLINICAL,
    "sessions.show_event": CLINICAL,
    "sessions.show_hand_over": CLINICAL,
    "sessions.show_line": CLINICAL,
    "sessions.show_not_done": CLINICAL,
    "sessions.show_notify": CLINICAL,
    "sessions.accept_hand_over": CLINICAL,
    "sessions.record_care": CLINICAL,
    "sessions.show_care": CLINICAL,
    "sessions.show_late_reason": CLINICAL,
    "sessions.say_why": CLINICAL,
    "sessions.show_pause": CLINICAL,
    "sessions.show_prn": CLINICAL,
    "sessions.show_rate": CLINICAL,
    "sessions.show_resume": CLINICAL,
    "sessions.show_row_note": CLINICAL,
    "sessions.show_stop": CLINICAL,
    "sessions.show_vitals": CLINICAL,
    "sessions.start": CLINICAL,
    "sessions.stop": CLINICAL,
}
NOTES = {
    "notes.add_addendum": CLINICAL,
    "notes.decide_course": PHYSICIANS,
    "notes.discard_note": CLINICAL,
    "notes.print_session_note": CLINICAL,
    "notes.save_session_note": CLINICAL,
    "notes.show_course": CLINICAL,
    "notes.show_inbox": PHYSICIANS,
    "notes.show_item": PHYSICIANS,
    "notes.show_session_note": CLINICAL,
    "notes.sign_item": PHYSICIANS,
    "notes.sign_session_note": CLINICAL,
    "notes.print_course": CLINICAL,
}
REPORTS = {
    "reports.check_print": CLINICAL,
}
OUTCOMES = {
    "outcomes.correct_outcome": CLINICAL,
    "outcomes.list_due_calls": CLINICAL,
    "outcomes.list_outcomes": CLINICAL,
    "outcomes.record_follow_up": CLINICAL,
    "outcomes.record_outcome": CLINICAL,
    "outcomes.show_correction": CLINICAL,
    "outcomes.show_follow_up": CLINICAL,
}

ACCESS: dict[str, frozenset[str]] = {
    **SHELL,
    **ACCOUNTS,
    **PATIENTS,
    **PROTOCOLS,
    **ORDERS,
    **COURSES,
    **SCHEDULING,
    **DRUGLOG,
    **SESSIONS,
    **NOTES,
    **OUTCOMES,
    **REPORTS,
}
