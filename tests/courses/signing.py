"""The form that signs an order, as the page of the order brings it along."""

import re

from tests.factories.accounts import PASSWORD


def signing(client, address):
    """What the page of a draft sends when its reader signs."""
    page = client.get(address).text
    form = page[page.index(f'action="{address}/sign"') :]
    names = ("patient_id", "version", "seen")
    found = {name: re.search(f'name="{name}" value="([^"]*)"', form)[1] for name in names}
    return found | {"password": PASSWORD}
