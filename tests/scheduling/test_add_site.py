"""Another place of the clinic: added by an administrator, once, with hours and cabinets of its own."""

from clinic.druglog import stock_queries
from clinic.scheduling import queries


def test_an_administrator_adds_a_site(client, admin, nurse):
    client.sign_in(admin)
    page = client.post("/clinic/sites", data={"site-name": "  North  house "}, follow_redirects=True)
    assert "North house is a site of the clinic now" in page.text
    assert "North house" in [site.name for site in queries.sites()]
    assert "There is a site of this name" in client.post("/clinic/sites", data={"site-name": "North house"}).text
    client.sign_in(nurse)
    assert "North house" in client.get("/drugs/cabinets").text
    site = next(site for site in stock_queries.sites() if site.name == "North house")
    client.post("/drugs/cabinets", data={"name": "cupboard N", "site_id": str(site.id)})
    assert [one.site_id for one in stock_queries.cabinets()] == [site.id]


def test_a_site_has_a_name(client, admin):
    client.sign_in(admin)
    assert client.post("/clinic/sites", data={"site-name": " "}).status_code == 422


def test_nobody_else_adds_one(client, nurse):
    client.sign_in(nurse)
    assert client.post("/clinic/sites", data={"site-name": "South"}).status_code == 403
