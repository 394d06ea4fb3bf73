"""The patients of the demonstration clinic and what is planned for them. All of them are invented."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from clinic.demo.protocols import BY_WEIGHT, LIDOCAINE, MAGNESIUM, STEPPED
from clinic.patients.rules import Sex


@dataclass(frozen=True, slots=True)
class Body:
    """What the vitals of a patient start from: pressure, pulse, saturation, pain, weight in kg."""

    sbp: int
    dbp: int
    hr: int
    spo2: int
    pain: int
    kg: Decimal


@dataclass(slots=True, kw_only=True)
class Treatment:
    """A patient with one course. `past` are the sessions done, in weekdays before today; `coming` those booked after.

    `half` is the hour at which the patient usually comes, `chair` where. `changes` are what the physician ordered other
    than the protocol, `details` what else is known of the patient. The keys are filled when the rows are made.
    """

    mrn: str
    family_name: str
    given_name: str
    sex: Sex
    born_on: date
    body: Body
    problem: str
    goal: str
    regimen: str
    chair: str
    half: str = "08:00"
    physician: str = "PHY-1"
    phone: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    allergies: tuple[tuple[str, str], ...] = ()
    planned: int = 4
    past: tuple[int, ...] = ()
    coming: tuple[int, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    settled: str | None = None
    is_signed: bool = True
    created: int = -3
    peg: tuple[int, int, int] = (7, 7, 6)
    patient_id: uuid.UUID | None = None
    course_id: uuid.UUID | None = None


def _body(pressure: str, hr: int, spo2: int, *, pain: int, kg: str) -> Body:
    sbp, dbp = pressure.split("/")
    return Body(sbp=int(sbp), dbp=int(dbp), hr=hr, spo2=spo2, pain=pain, kg=Decimal(kg))


_F, _M = Sex.FEMALE, Sex.MALE
_WALK: Final = "Walk for half an hour without stopping."
_SLEEP: Final = "Sleep through the night."
_WORK: Final = "Go back to work for half a day."


_KETAMINE: Final[tuple[Treatment, ...]] = (
    Treatment(
        mrn="0039 4410",
        family_name="Haddad",
        given_name="Sami",
        sex=_M,
        born_on=date(1959, 7, 2),
        body=_body("132/80", 74, 97, pain=7, kg="81.2"),
        problem="postherpetic neuralgia, left chest",
        goal=_SLEEP,
        regimen=STEPPED,
        chair="A2",
        physician="PHY-2",
        planned=6,
        past=(11, 9, 7, 4, 2),
        peg=(7, 8, 7),
    ),
    Treatment(
        mrn="0044 0035",
        family_name="Kim",
        given_name="Jae-won",
        sex=_M,
        born_on=date(1979, 9, 28),
        body=_body("130/80", 76, 98, pain=8, kg="74.6"),
        problem="CRPS type I, left foot",
        goal=_WALK,
        regimen=STEPPED,
        chair="A2",
        half="13:00",
        planned=6,
        past=(3,),
        coming=(2, 4, 7, 9),
        peg=(8, 8, 7),
    ),
    Treatment(
        mrn="0042 1788",
        family_name="Almeida",
        given_name="Rosa",
        sex=_F,
        born_on=date(1968, 3, 14),
        body=_body("128/78", 74, 98, pain=7, kg="72.4"),
        problem="CRPS type I, right hand",
        goal="Cut bread and button a shirt with the right hand.",
        regimen=STEPPED,
        chair="A3",
        half="13:00",
        phone="555 0142",
        details={"language": "Portuguese", "is_interpreter_needed": False, "referred_by": "Dr H. Lindqvist"},
        allergies=(("penicillin", "rash"), ("latex", "hives")),
        planned=6,
        past=(7, 5, 2),
        coming=(2, 5),
        changes={"start_amount": Decimal(15), "highest_amount": Decimal(30), "maximum_total_mg": Decimal(60)},
        settled="High pressure in 2024, treated since: 128/78 at home. May go on.",
        peg=(7, 6, 7),
    ),
    Treatment(
        mrn="0047 9021",
        family_name="Adeyemi",
        given_name="Tunde",
        sex=_M,
        born_on=date(1975, 6, 30),
        body=_body("124/78", 70, 98, pain=6, kg="88.0"),
        problem="phantom limb pain, left below-knee",
        goal=_WORK,
        regimen=STEPPED,
        chair="B2",
        half="13:00",
        phone="555 0177",
        planned=6,
        past=(8, 6, 4, 1),
        coming=(2,),
        peg=(8, 7, 8),
    ),
    Treatment(
        mrn="0045 3306",
        family_name="Ibrahim",
        given_name="Noor",
        sex=_F,
        born_on=date(1990, 1, 11),
        body=_body("118/72", 78, 99, pain=7, kg="59.8"),
        problem="CRPS type II, right forearm",
        goal=_WORK,
        regimen=BY_WEIGHT,
        chair="C1",
        physician="PHY-2",
        past=(5, 3),
        coming=(3,),
        allergies=(("codeine", "vomiting"),),
        peg=(7, 7, 7),
    ),
    Treatment(
        mrn="0048 1157",
        family_name="Walsh",
        given_name="Brian",
        sex=_M,
        born_on=date(1964, 10, 19),
        body=_body("136/82", 72, 96, pain=6, kg="92.3"),
        problem="failed back surgery syndrome",
        goal=_WALK,
        regimen=STEPPED,
        chair="B2",
        phone="555 0119",
        planned=6,
        past=(6, 3),
        coming=(2, 4, 7),
        peg=(6, 7, 7),
    ),
    Treatment(
        mrn="0050 2278",
        family_name="Dubois",
        given_name="Claire",
        sex=_F,
        born_on=date(1983, 5, 4),
        body=_body("114/70", 70, 99, pain=8, kg="64.0"),
        problem="fibromyalgia with neuropathic features",
        goal=_SLEEP,
        regimen=BY_WEIGHT,
        chair="C2",
        half="13:00",
        past=(2,),
        coming=(3, 6),
        peg=(8, 7, 7),
    ),
    Treatment(
        mrn="0049 5034",
        family_name="Gray",
        given_name="Moira",
        sex=_F,
        born_on=date(1966, 4, 17),
        body=_body("128/80", 66, 97, pain=6, kg="70.9"),
        problem="chronic pain after mastectomy",
        goal=_SLEEP,
        regimen=BY_WEIGHT,
        chair="B1",
        half="13:00",
        past=(6,),
        coming=(6, 11),
        peg=(6, 6, 7),
    ),
)


_LIDOCAINE: Final[tuple[Treatment, ...]] = (
    Treatment(
        mrn="0041 6620",
        family_name="Osei",
        given_name="Kwame",
        sex=_M,
        born_on=date(1971, 2, 23),
        body=_body("126/78", 68, 97, pain=6, kg="79.4"),
        problem="painful diabetic neuropathy",
        goal=_SLEEP,
        regimen=LIDOCAINE,
        chair="A1",
        past=(5,),
        coming=(5, 10),
        peg=(6, 7, 6),
    ),
    Treatment(
        mrn="0043 7719",
        family_name="Petrova",
        given_name="Olga",
        sex=_F,
        born_on=date(1957, 12, 8),
        body=_body("122/76", 70, 98, pain=6, kg="66.7"),
        problem="trigeminal neuropathy, right",
        goal="Eat and brush the teeth without fear.",
        regimen=LIDOCAINE,
        chair="B1",
        physician="PHY-2",
        past=(10, 5),
        coming=(5,),
        allergies=(("sulfa drugs", "rash"),),
        peg=(7, 6, 6),
    ),
    Treatment(
        mrn="0051 0093",
        family_name="Rossi",
        given_name="Carla",
        sex=_F,
        born_on=date(1972, 8, 29),
        body=_body("120/74", 72, 98, pain=7, kg="61.5"),
        problem="small fibre neuropathy",
        goal=_WALK,
        regimen=LIDOCAINE,
        chair="B3",
        phone="555 0163",
        coming=(4, 9, 14),
        peg=(7, 7, 7),
    ),
    Treatment(
        mrn="0051 2240",
        family_name="Novak",
        given_name="Petr",
        sex=_M,
        born_on=date(1969, 11, 6),
        body=_body("130/82", 70, 97, pain=6, kg="84.1"),
        problem="central pain after stroke",
        goal=_SLEEP,
        regimen=LIDOCAINE,
        chair="C1",
        half="13:00",
        coming=(4, 9, 14),
        peg=(6, 7, 7),
    ),
)


_OTHERS: Final[tuple[Treatment, ...]] = (
    Treatment(
        mrn="0050 8846",
        family_name="Brandt",
        given_name="Lena",
        sex=_F,
        born_on=date(1986, 1, 30),
        body=_body("120/72", 70, 98, pain=6, kg="63.2"),
        problem="chronic migraine",
        goal="Fewer than four days of migraine a month.",
        regimen=MAGNESIUM,
        chair="A1",
        half="13:00",
        physician="PHY-2",
        coming=(3, 7, 11),
        created=-1,
        peg=(6, 6, 6),
    ),
    # In force, and the desk has not placed it yet.
    Treatment(
        mrn="0051 4471",
        family_name="Lindgren",
        given_name="Ida",
        sex=_F,
        born_on=date(1977, 3, 25),
        body=_body("118/74", 70, 98, pain=7, kg="68.8"),
        problem="CRPS type I, right foot",
        goal=_WALK,
        regimen=BY_WEIGHT,
        chair="C2",
        phone="555 0128",
        created=-1,
        peg=(7, 8, 8),
    ),
    # Waits for the physician's signature.
    Treatment(
        mrn="0051 5102",
        family_name="Ferreira",
        given_name="Davi",
        sex=_M,
        born_on=date(1961, 6, 12),
        body=_body("134/82", 72, 97, pain=7, kg="77.0"),
        problem="neuropathic pain after thoracotomy",
        goal=_SLEEP,
        regimen=STEPPED,
        chair="B3",
        planned=6,
        is_signed=False,
        created=-1,
        peg=(7, 7, 8),
    ),
    # Signed by the resident; it waits for its co-signature.
    Treatment(
        mrn="0051 5240",
        family_name="Castellano",
        given_name="Bruna",
        sex=_F,
        born_on=date(1974, 9, 3),
        body=_body("126/78", 70, 98, pain=6, kg="64.5"),
        problem="neuropathic pain after mastectomy",
        goal=_SLEEP,
        regimen=STEPPED,
        chair="B3",
        planned=6,
        physician="PHY-3",
        created=-1,
        peg=(6, 7, 7),
    ),
)


def treatments() -> dict[str, Treatment]:
    """Everybody by family name, in the order of the appointments of today."""
    return {row.family_name: replace(row) for row in (*_KETAMINE, *_LIDOCAINE, *_OTHERS)}
