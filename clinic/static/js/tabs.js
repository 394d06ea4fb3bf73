// Wrong-patient guard between the tabs of one browser: when two patients' records are open, both pages say so.
// Nothing is stored; the tabs only tell each other while they are open.

const bar = document.querySelector("[data-patient]");

if (bar && "BroadcastChannel" in window) {
  const channel = new BroadcastChannel("chairtime-open-records");
  const own = { id: bar.dataset.patient, name: bar.dataset.patientName, chair: bar.dataset.chair, tab: crypto.randomUUID?.() ?? String(Math.random()) };
  const others = new Map();

  const where = (record) => `${record.name}${record.chair ? `, chair ${record.chair}` : ""}`;

  const show = () => {
    const shelf = document.querySelector("[data-ribbons]");
    let ribbon = shelf?.querySelector("[data-other-record]");
    const other = [...others.values()].find((record) => record.id !== own.id);
    if (!shelf) return;
    if (!other) {
      ribbon?.remove();
      return;
    }
    if (!ribbon) {
      ribbon = document.createElement("div");
      ribbon.className = "ribbon warn";
      ribbon.dataset.otherRecord = "";
      shelf.append(ribbon);
    }
    ribbon.textContent = `Two records are open here. This is ${where(own)}. The other is ${where(other)}.`;
  };

  channel.addEventListener("message", ({ data }) => {
    if (data.kind === "here" || data.kind === "hello") others.set(data.record.tab, data.record);
    if (data.kind === "hello") channel.postMessage({ kind: "here", record: own });
    if (data.kind === "bye") others.delete(data.record.tab);
    show();
  });
  const hello = () => channel.postMessage({ kind: "hello", record: own });
  const bye = () => channel.postMessage({ kind: "bye", record: own });
  addEventListener("pagehide", bye);
  addEventListener("pageshow", (event) => event.persisted && hello());
  hello();
}
