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

SHELL = {"home": EVERYBODY}

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

PATIENTS: dict[str, frozenset[str]] = {}
PROTOCOLS: dict[str, frozenset[str]] = {}
ORDERS: dict[str, frozenset[str]] = {}
COURSES: dict[str, frozenset[str]] = {}
SCHEDULING: dict[str, frozenset[str]] = {}
DRUGLOG: dict[str, frozenset[str]] = {}
SESSIONS: dict[str, frozenset[str]] = {}
NOTES: dict[str, frozenset[str]] = {}
OUTCOMES: dict[str, frozenset[str]] = {}

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
}
