/* Comfort only: every page works without it. */
"use strict";

// A menu closes when somebody clicks elsewhere or presses Escape.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// A form is sent once: a second click while the first is under way does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || "again" in form.dataset) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
});
// Coming back to a page that the browser has kept, it can be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// A password can be looked at while it is typed; it is hidden again before it is sent, so that nothing
// keeps it as a text that was typed, and no spelling checker ever gets it.
for (const field of document.querySelectorAll("input[type=password]")) {
  const button = document.createElement("button");
  const [name] = field.labels.length ? field.labels[0].textContent.split(":") : ["password"];
  const show = (shown) => {
    field.type = shown ? "text" : "password";
    button.textContent = shown ? "Hide" : "Show";
    button.setAttribute("aria-label", `${button.textContent} ${name.trim()}`);
  };
  field.spellcheck = false;
  field.autocapitalize = "none";
  button.type = "button";
  button.className = "link shows";
  button.setAttribute("aria-controls", field.id);
  button.addEventListener("click", () => show(field.type === "password"));
  field.form.addEventListener("submit", () => show(false));
  show(false);
  field.after(button);
}

// A field beside choices: typing chooses "somebody else", choosing one empties the field.
for (const field of document.querySelectorAll("[data-other]")) {
  const other = document.getElementById(field.dataset.other);
  field.addEventListener("input", () => { other.checked = true; });
  for (const choice of other.form.elements[other.name]) {
    choice.addEventListener("change", () => { if (choice !== other) field.value = ""; });
  }
}

// All rows of a list at once, and how many are chosen.
for (const all of document.querySelectorAll("[data-chooses]")) {
  const rows = [...document.querySelectorAll(`input[name="${all.dataset.chooses}"]`)];
  const said = document.getElementById(all.dataset.says);
  const tell = () => {
    const chosen = rows.filter((row) => row.checked).length;
    all.checked = chosen > 0 && chosen === rows.length;
    all.indeterminate = chosen > 0 && chosen < rows.length;
    said.textContent = chosen === 0 ? "None chosen" : `${chosen} chosen`;
  };
  all.closest(".needs-script").hidden = false;
  all.addEventListener("change", () => {
    for (const row of rows) row.checked = all.checked;
    tell();
  });
  for (const row of rows) row.addEventListener("change", tell);
  tell();
}

// Work that goes on by itself: the form is sent again and again, and the page shows how far it is.
// Whatever goes wrong, its button stays.
const goOn = async () => {
  const form = document.querySelector("form[data-goes-on]");
  if (!form) return;
  const place = document.getElementById(form.dataset.goesOn);
  const body = new URLSearchParams(new FormData(form, form.querySelector("button")));
  let page;
  try {
    const answer = await fetch(form.action, { method: "POST", body });
    if (!answer.ok) return;
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return;
  }
  const next = page.getElementById(form.dataset.goesOn);
  if (!next) return;
  const [bar, told] = [form.querySelector("progress"), form.querySelector("[role=status]")];
  if (next.querySelector("form[data-goes-on]")) {
    const [before, after] = [bar.value, next.querySelector("progress").value];
    bar.value = after;
    told.textContent = next.querySelector("[role=status]").textContent;
    // Nothing moved: another window is at it.
    setTimeout(goOn, after === before ? 1000 : 0);
    return;
  }
  // It is over: the whole page, with its place in the history.
  place.setAttribute("aria-busy", "true");
  window.location.reload();
};
goOn();
