from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from clinic.accounts import queries, staff_operations
from clinic.accounts.rules import StaffStatus
from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role


@pytest.fixture
def second_admin(make_staff):
    return make_staff(Role.ADMIN, family_name="Lund")


def test_an_admin_may_demote_another(admin, second_admin, frozen_clock):
    staff_operations.change_roles(admin, [Role.NURSE], by=second_admin, at=frozen_clock)
    assert queries.active_admin_ids() == [second_admin.id]


@pytest.mark.parametrize("status", [StaffStatus.DISABLED, StaffStatus.INVITED])
def test_an_admin_who_cannot_sign_in_does_not_count(admin, second_admin, frozen_clock, status):
    second_admin.status = status
    db.session.flush()
    with pytest.raises(RuleBroken, match="no longer an admin"):
        staff_operations.disable(admin, "x", by=second_admin, at=frozen_clock)
    assert queries.active_admin_ids() == [admin.id]


def test_a_role_that_one_may_not_give_is_refused(nurse, second_nurse, frozen_clock):
    with pytest.raises(RuleBroken, match="cannot give"):
        staff_operations.change_roles(second_nurse, [Role.NURSE], by=nurse, at=frozen_clock)


ON_A_WHOLE_ACCOUNT = {
    "disable": lambda staff, **who: staff_operations.disable(staff, "x", **who),
    "enable": staff_operations.enable,
    "reset": staff_operations.reset,
    "sign out": staff_operations.end_sign_ins,
}


@pytest.mark.parametrize("act", ON_A_WHOLE_ACCOUNT.values(), ids=ON_A_WHOLE_ACCOUNT)
def test_an_account_that_another_clinic_uses_too_is_left_to_the_operator(admin, nurse, make_clinic, frozen_clock, act):
    """A link for a new password, above all, would open the other clinic's charts."""
    with db.in_clinic(make_clinic().id):
        db.session.add(staff_operations.StaffRole(staff_id=nurse.id, role=Role.NURSE, granted_at=frozen_clock))
        db.session.flush()
    with pytest.raises(RuleBroken, match="another clinic"):
        act(nurse, by=admin, at=frozen_clock)


def act_on(act, target, by, clinic_id, barrier):
    """One admin's request against the other, in a thread of its own."""
    with db.in_clinic(clinic_id):
        barrier.wait()
        try:
            with db.unit_of_work():
                act(queries.staff_with_roles(target), queries.staff_with_roles(by))
        except RuleBroken as refusal:
            return refusal.message
    return "done"


@pytest.mark.parametrize(
    "act",
    [
        lambda staff, by: staff_operations.change_roles(staff, [Role.NURSE], by=by, at=clock.now()),
        lambda staff, by: staff_operations.disable(staff, "x", by=by, at=clock.now()),
    ],
    ids=["demote", "disable"],
)
def test_two_admins_cannot_remove_each_other(committed_db, clinic, admin, second_admin, act):
    for _ in range(3):
        barrier = Barrier(2)
        with ThreadPoolExecutor(2) as threads:
            pair = [(admin.id, second_admin.id), (second_admin.id, admin.id)]
            answers = [threads.submit(act_on, act, target, by, clinic.id, barrier) for target, by in pair]
        assert sorted(answer.result() for answer in answers).count("done") == 1
        with db.unit_of_work():
            (left,) = queries.active_admin_ids()
            gone = second_admin.id if left == admin.id else admin.id
            _restore(gone, left)


def _restore(gone, by):
    """Make the removed admin one again, for the next race."""
    person = queries.staff_with_roles(gone)
    if person.status is StaffStatus.DISABLED:
        person.status = StaffStatus.ACTIVE
    else:
        staff_operations.change_roles(person, [Role.ADMIN], by=queries.staff_with_roles(by), at=clock.now())
