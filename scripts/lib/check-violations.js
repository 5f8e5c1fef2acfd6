// Appended to a copy of a report with violations by scripts/check-report: they are told in red, and lead to their entries.
{
  const said = [], say = (name, value) => said.push(`${name}=${value}`);
  const run = state.run, list = [...document.querySelectorAll("#spoken li")], raw = run.raw.violations;
  const red = getComputedStyle(document.documentElement).getPropertyValue("--bad").trim();
  const probe = document.createElement("span");
  probe.style.color = red;
  document.body.append(probe);
  const color = (e) => getComputedStyle(e).color;
  say("oracles", $("violations").hidden ? "hidden" : $("violations-head").textContent);
  say("told", raw.map((v) => v.oracle).join(" "));
  // The page opens at the first of them.
  say("first", run.entries[state.selected].n === Math.min(...raw.map((v) => v.entry)));
  say("violates", [...document.querySelectorAll("#details dd")].map((d) => d.textContent).find((t) => t.startsWith("E")).split(" (")[0]);
  const row = $("row" + state.selected);
  say("red", row.classList.contains("violated") && [row.querySelector(".w"), ...list].every((e) => color(e) === color(probe)));
  const buttons = [...list[1].querySelectorAll("button")];
  buttons[buttons.length - 1].click();
  say("linked", run.entries[state.selected].n === raw[1].entry);
  buttons[0].click();
  const before = state.selected;
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "c", bubbles: true }));
  say("walked", state.selected > before && run.violated.has(state.selected));
  const result = document.createElement("pre");
  result.id = "checked";
  result.textContent = "\n" + said.join("\n") + "\n";
  document.body.append(result);
}
