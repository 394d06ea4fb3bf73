"""Places the sessions of courses into chairs and nurses' days; pure Python that knows no Flask and no database."""
