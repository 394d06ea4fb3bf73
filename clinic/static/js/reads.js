// While an order is written, the column beside it reads it back: the sentence, what the rates and totals come to, what
// stands against signing. The server works it out, as for the button "Read again", which does the same without script.

const form = document.querySelector("form[data-reads]");
const WAIT = 350;
let timer;
let asked = 0;

/** Put what the answer says where it stands here; a field that is being written is left alone. */
function take(answer) {
  form.querySelector("[data-read-part=side]").classList.remove("old");
  for (const part of form.querySelectorAll("[data-read-part]")) {
    const fresh = answer.querySelector(`[data-read-part="${part.dataset.readPart}"]`);
    if (fresh && !part.contains(document.activeElement)) part.innerHTML = fresh.innerHTML;
  }
  for (const box of form.querySelectorAll(".fld:has(> .in)")) {
    const name = box.querySelector("[name]")?.name;
    const fresh = name && answer.querySelector(`.fld:has(> .in) [name="${name}"]`)?.closest(".fld");
    if (!fresh) continue;
    const isEmpty = !box.querySelector("[name]").value; // what is still to be filled in is no fault yet
    for (const look of isEmpty ? ["chg"] : ["chg", "err"]) {
      box.querySelector(".in").classList.toggle(look, fresh.querySelector(".in").classList.contains(look));
    }
    const unit = fresh.querySelector(".in > .u");
    const mine = box.querySelector("input ~ .u");
    if (unit && mine) mine.textContent = unit.textContent;
    for (const mark of box.querySelectorAll(".was, .err-t")) mark.remove();
    const was = fresh.querySelector(".was");
    if (was) box.querySelector(".in").before(was);
    if (!isEmpty) box.append(...fresh.querySelectorAll(".err-t"));
  }
}

async function read() {
  const turn = ++asked;
  const said = new FormData(form);
  said.delete("password");
  said.set("idempotency_key", `reads-${Date.now()}-${turn}`); // the form's own key is for what it saves
  said.set("act", "read");
  const answer = await fetch(form.action, {
    method: "POST",
    body: new URLSearchParams(said),
    headers: { "X-Background": "reads" },
    credentials: "same-origin",
    redirect: "manual",
  });
  if (turn !== asked || !answer.ok) return; // the button still works
  take(new DOMParser().parseFromString(await answer.text(), "text/html"));
}

for (const kind of ["input", "change"]) {
  form?.addEventListener(kind, (event) => {
    if (["password", "excess_reason"].includes(event.target.name)) return;
    form.querySelector("[data-read-part=side]").classList.add("old"); // until the answer is there
    clearTimeout(timer);
    timer = setTimeout(() => read().catch(() => {}), kind === "input" ? WAIT : 0);
  });
}
