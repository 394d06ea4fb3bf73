"""What leaves the clinic on paper; one module for each subject."""

from clinic.reports import views_audit, views_check, views_drug_reports, views_drugs, views_session
from clinic.reports.views_shared import bp

__all__ = ["bp", "views_audit", "views_check", "views_drug_reports", "views_drugs", "views_session"]
