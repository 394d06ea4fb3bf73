import sqlalchemy as sa

from clinic.core import db

CLINICS = sa.text("SELECT count(*) FROM clinic")


def test_rows_left_unread_do_not_bind_the_next_work_to_an_old_state(committed_db, make_clinic):
    with db.unit_of_work():
        unread = db.session.execute(sa.text("SELECT version_num FROM alembic_version"))
    with db.engine().connect() as reader:  # the connection that read; the clinic is made on another
        make_clinic()
        assert reader.scalar(CLINICS) == 1
    with db.unit_of_work():
        assert db.session.scalar(CLINICS) == 1
    assert unread.closed is False  # as a traceback may hold it
