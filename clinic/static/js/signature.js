// A signature drawn with the finger, kept as strokes of whole numbers: "M12 30L13 31". Without script the typed name stands alone.

const place = document.querySelector("[data-signature]");
const canvas = place?.querySelector("canvas");
const field = document.querySelector("input[name=path]");

if (canvas && field) {
  const pen = canvas.getContext("2d");
  const strokes = [];
  let stroke;

  const point = (event) => {
    const box = canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * canvas.width;
    const y = ((event.clientY - box.top) / box.height) * canvas.height;
    return [Math.max(0, Math.min(canvas.width - 1, Math.round(x))), Math.max(0, Math.min(canvas.height - 1, Math.round(y)))];
  };
  const keep = () => {
    field.value = strokes
      .filter((each) => each.length > 1)
      .map((each) => `M${each.map((at) => at.join(" ")).join("L")}`)
      .join("");
  };
  const begin = (event) => {
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    stroke = [point(event)];
    strokes.push(stroke);
  };
  const draw = (event) => {
    if (!stroke) return;
    const at = point(event);
    const last = stroke.at(-1);
    if (at[0] === last[0] && at[1] === last[1]) return;
    pen.beginPath();
    pen.moveTo(...last);
    pen.lineTo(...at);
    pen.stroke();
    stroke.push(at);
    keep();
  };
  const end = () => {
    stroke = undefined;
  };

  place.hidden = false;
  field.value = "";
  pen.lineWidth = 2.5;
  pen.lineCap = "round";
  pen.strokeStyle = getComputedStyle(canvas).color;
  canvas.addEventListener("pointerdown", begin);
  canvas.addEventListener("pointermove", draw);
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  place.querySelector("[data-clear]").addEventListener("click", () => {
    strokes.length = 0;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    keep();
  });
}
