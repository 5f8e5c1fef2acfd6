// Appended to a copy of a report by scripts/check-report: uses the page as a reader does, and leaves what it saw in the document.
{
  const said = [], say = (name, value) => said.push(`${name}=${value}`);
  const key = (k, at = document.body) => at.dispatchEvent(new KeyboardEvent("keydown", { key: k, bubbles: true }));
  const run = state.run, rows = () => [...document.querySelectorAll("#rows .row")];
  say("traps", run.entries.filter((e) => e.kind === "trap").length);
  const fault = run.entries.findIndex((e) => e.kind === "trap" && e.walk && e.walk.entries.length > 1);
  $("search").value = "load guest-page fault";
  $("search").dispatchEvent(new Event("input"));
  say("found", $("found").textContent);
  key("n");
  say("selected", run.entries[state.selected].cause.name);
  say("refused", $("refused").textContent);
  say("walk rows", document.querySelectorAll("#walk tbody tr").length);
  $("list").scrollTop = 0;
  $("list").dispatchEvent(new Event("scroll"));
  rows().find((r) => r.textContent.includes("environment call from M-mode")).click();
  say("clicked", document.querySelector("#details h2").textContent);
  say("fields", [...document.querySelectorAll("#fields tbody tr")].map((r) => r.firstChild.textContent).join(","));
  const trap = state.selected;
  $("matched").click();
  say("matched", run.entries[state.selected].ends.n === run.entries[trap].n);
  key("m");
  say("back", state.selected === trap);
  key("j");
  say("next", state.selected > trap && document.querySelector('.row[aria-selected="true"]').id === "row" + state.selected);
  const at = timeline.hi - timeline.lo;
  key("+");
  say("zoomed", timeline.hi - timeline.lo < at);
  const c = timeline.canvas.getBoundingClientRect(), target = run.entries[fault];
  key("0");
  timeline.pick(timeline.x(timeline.at(fault)), timeline.lane(target) + 8);
  say("picked", run.entries[state.selected].instret === target.instret);
  say("drawn", c.width > 0 && timeline.canvas.getContext("2d").getImageData(0, 0, timeline.canvas.width, timeline.canvas.height).data.some((v) => v > 0 && v < 200));
  const result = document.createElement("pre");
  result.id = "checked";
  result.textContent = "\n" + said.join("\n") + "\n";
  document.body.append(result);
}
