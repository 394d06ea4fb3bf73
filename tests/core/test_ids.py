"""Keys follow the order in which they were made."""

from clinic.core.ids import new_id


def test_keys_of_one_instant_follow_each_other(frozen_clock):
    keys = [new_id() for _ in range(1000)]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_a_key_is_a_version_7_uuid(frozen_clock):
    key = new_id()
    assert key.version == 7
    assert key.int >> 80 == int(frozen_clock.timestamp() * 1000)
