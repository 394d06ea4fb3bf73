"""Which nurses may look after patients of which drugs. The desk knows no drug; a physician says who may."""

import uuid

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from clinic.accounts.current import actor
from clinic.core import clock
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Permission, requires
from clinic.scheduling import operations_skills, queries_skills
from clinic.scheduling.forms import ReasonForm
from clinic.scheduling.forms_skills import SkillForm
from clinic.scheduling.models_skills import NurseSkill
from clinic.scheduling.operations_breaking import WouldBreak
from clinic.scheduling.views import bp, nurses


def _form(form: SkillForm) -> SkillForm:
    form.nurses.choices = {str(each.id): each.name for each in nurses()}
    form.drug_name.choices = {"": "Choose"} | {name: name for name in queries_skills.drug_names()}
    return form


def _page(
    form: SkillForm | None = None, *, broken: WouldBreak | None = None, row: NurseSkill | None = None, reason: str = ""
) -> str:
    return render_template(
        "scheduling/skills.html",
        rows=queries_skills.skills(),
        form=form,
        broken=broken,
        broken_row=row,
        reason=reason,
        skill_form=form or _form(SkillForm(formdata=None)),
    )


@bp.get("/calendar/skills")
@requires(Permission.READ_COURSE)
def list_skills() -> ResponseReturnValue:
    return _page()


@bp.post("/calendar/skills/add")
@requires(Permission.OVERBOOK)
def add_skill() -> ResponseReturnValue:
    form = _form(SkillForm())
    if form.validate() and form.valid_from.data:
        known = [each for each in nurses() if str(each.id) in set(form.nurses.data or ())]
        try:
            operations_skills.add_skills(
                known,
                form.drug_name.data,
                valid_from=form.valid_from.data,
                valid_until=form.valid_until.data,
                by=actor(),
                at=clock.now(),
                seen=form.seen.data,
            )
        except WouldBreak as refusal:
            form.refuse(refusal)
            form.seen.data = refusal.key
            return _page(form, broken=refusal), 422
        except RuleBroken as refusal:
            form.refuse(refusal)
        else:
            flash("Written down.")
            return redirect(url_for(".list_skills"), 303)
    return _page(form), 422


@bp.post("/calendar/skills/<uuid:skill_id>/take-back")
@requires(Permission.OVERBOOK)
def take_back_skill(skill_id: uuid.UUID) -> ResponseReturnValue:
    row, form = queries_skills.skill(skill_id) or abort(404), ReasonForm()
    if form.validate():
        reason, seen = form.reason.data or "", request.form.get("seen")
        try:
            operations_skills.take_back_skill(row, reason=reason, by=actor(), at=clock.now(), seen=seen)
        except WouldBreak as refusal:
            return _page(broken=refusal, row=row, reason=reason), 422
        except RuleBroken as refusal:
            flash(refusal.message, "warn")
        else:
            flash("Taken back.")
    else:
        flash("Nothing was changed: say why it no longer holds.", "warn")
    return redirect(url_for(".list_skills"), 303)
