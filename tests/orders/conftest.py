import pytest

from clinic.orders import operations
from tests.factories.accounts import PASSWORD
from tests.factories.courses import SIGNED


@pytest.fixture
def sign(signing_physician):
    def do(version, *, at=SIGNED, password=PASSWORD, **how):
        return operations.sign(version, by=signing_physician, password=password, at=at, **how)

    return do
