"""Words and keyboard walks that guessers try first. A password must hold something besides them."""

COMMON = frozenset(
    """
    password passwort passphrase passw0rd passcode secret access admin administrator root login signin welcome
    letmein changeme default guest user test demo example temp temporary hello master superman batman trustno
    iloveyou loveyou monkey dragon football baseball basketball soccer hockey shadow sunshine princess flower
    charlie jordan michael jennifer jessica ashley daniel thomas robert george andrew joshua matthew hunter
    buster pepper ginger cookie cheese banana orange purple yellow silver golden diamond summer winter spring
    autumn january february march april june july august september october november december monday tuesday
    wednesday thursday friday saturday sunday computer internet google facebook windows samsung mustang harley
    ranger freedom whatever starwars pokemon liverpool chelsea arsenal qwertyuiop qwerty qwertz azerty asdfghjkl
    asdfgh asdf zxcvbnm zxcvbn zxcv qazwsx wsxedc qaz wsx abcdefghijklmnopqrstuvwxyz abcdefghij abcdef abcd abc
    1234567890 0123456789 0987654321 9876543210 123456789 987654321 12345678 87654321 1234567 123456 654321 12345
    54321 1234 4321 123 321 112233 121212 111111 000000 696969 666666 555555 777777 888888 999999 2000 2020 2021 2022
    2023 2024 2025 2026 2027 2028
    correcthorsebatterystaple
    chairtime clinic hospital ward pain infusion ketamine lidocaine patient nurse nursing physician doctor medical
    medicine scheduler desk reception staff health healthcare care
    """.split()  # noqa: SIM905 it is read by people
)
