#include "admin/status_page.h"

namespace poolwarden::admin {

// Text from outside reaches the document through textContent only.
const std::string_view kStatusPage = R"html(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Poolwarden</title>
<style>
  :root { color-scheme: light dark; --line: #8884; --dim: #888; --good: #2a8a3e; --warn: #b7791f;
          --bad: #c53030; }
  body { font: 15px/1.45 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.3rem; margin: 0 0 .2rem; }
  h2 { font-size: 1.1rem; margin: 0; }
  header p, .dim { color: var(--dim); margin: 0; }
  nav { margin: .4rem 0 1.2rem; } nav a { margin-right: 1rem; }
  section { border: 1px solid var(--line); border-radius: 8px; padding: .9rem 1.1rem; margin: 0 0 1rem; }
  .head { display: flex; gap: .7rem; align-items: baseline; flex-wrap: wrap; }
  .badge { border-radius: 99px; padding: 0 .6rem; color: #fff; font-size: .85rem; background: var(--dim); }
  .good { background: var(--good); } .warn { background: var(--warn); } .bad { background: var(--bad); }
  .why { margin: .5rem 0 0; border-left: 3px solid var(--bad); padding-left: .7rem; }
  dl { display: flex; flex-wrap: wrap; gap: .2rem 1.8rem; margin: .6rem 0; }
  dt { color: var(--dim); font-size: .8rem; } dd { margin: 0; font-variant-numeric: tabular-nums; }
  .deaths { margin: .8rem 0 0; padding: 0; list-style: none; }
  .deaths li { border-top: 1px solid var(--line); padding: .4rem 0; overflow-wrap: anywhere; }
  .deaths .next { display: block; }
  code { font: .92em ui-monospace, monospace; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
  th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-top: 1px solid var(--line); }
  th { color: var(--dim); font-weight: 500; font-size: .8rem; }
  meter { width: 6rem; vertical-align: middle; }
  #events td:first-child { white-space: nowrap; }
</style>
<header>
  <h1>Poolwarden <span id="ready" class="badge">…</span></h1>
  <p id="about">reading the state …</p>
  <nav><a href="/metrics">metrics</a> <a href="/readyz">readiness</a>
    <a href="/api/v1/status">status as JSON</a> <a href="/api/v1/events">events as JSON</a>
    <a href="/api/v1/certificates">certificates as JSON</a></nav>
</header>
<main id="pools"></main>
<section><h2>Events</h2><div class="scroll"><table id="events"></table></div></section>
<noscript>This page needs JavaScript; /api/v1/status has the same as JSON.</noscript>
<script>
"use strict";
const node = (name, text, style) => {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = text;
  if (style) made.className = style;
  return made;
};
const row = (cells, cell = "td") => {
  const made = node("tr");
  for (const one of cells) {
    const place = node(cell);
    place.append(one instanceof Node ? one : String(one ?? ""));
    made.append(place);
  }
  return made;
};
const age = seconds => {
  if (seconds === null || seconds === undefined) return "";
  const s = Math.max(0, seconds);
  if (s < 1) return Math.round(s * 1000) + "ms";
  if (s < 60) return Math.floor(s) + "s";
  if (s < 3600) return Math.floor(s / 60) + "m " + Math.floor(s % 60) + "s";
  if (s < 86400) return Math.floor(s / 3600) + "h " + Math.floor(s % 3600 / 60) + "m";
  return Math.floor(s / 86400) + "d " + Math.floor(s % 86400 / 3600) + "h";
};
const bytes = count => {
  if (count === null || count === undefined) return "";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; count >= 1024 && unit < 4; ++unit) count /= 1024;
  return count.toFixed(count < 10 && unit ? 1 : 0) + " " + units[unit];
};
const badge = (text, style) => node("span", text, "badge " + style);
const poolBadge = pool => pool.disabled ? badge(pool.disabled.replaceAll("_", " "), "bad")
  : badge(pool.state, pool.can_serve ? "good" : pool.state === "stopped" ? "" : "warn");
const memory = worker => {
  if (worker.memory === null) return "";
  const made = node("span", bytes(worker.memory));
  if (worker.memory_limit) {
    const meter = node("meter");
    Object.assign(meter, {min: 0, max: worker.memory_limit, high: worker.memory_limit * .8,
                          value: worker.memory});
    made.append(" of " + bytes(worker.memory_limit) + " ", meter);
  }
  return made;
};
const facts = pool => {
  const all = [["workers", pool.workers.length + " of " + pool.workers_desired]];
  if (pool.queue) {
    all.push(["waiting", pool.queue.length + (pool.queue.limit ? " of " + pool.queue.limit : "") +
      (pool.queue.length ? ", oldest " + age(pool.queue.oldest_age_seconds) : "")]);
    all.push(["in flight", pool.in_flight]);
    const answers = Object.entries(pool.requests).filter(([, count]) => count > 0);
    all.push(["answers", answers.map(([kind, count]) => kind + " " + count).join(", ") || "none"]);
  }
  const fail = pool.rapid_fail;
  all.push(["rapid-fail", fail.max === null ? "off"
    : fail.window + " of " + fail.max + " within " + age(fail.within_seconds)]);
  const list = node("dl");
  for (const [term, what] of all) {
    const pair = node("div");
    pair.append(node("dt", term), node("dd", what));
    list.append(pair);
  }
  return list;
};
const workers = pool => {
  const table = node("table");
  table.append(row(["worker", "generation", "pid", "state", "age", "requests", "in flight",
                    "memory", "says"], "th"));
  for (const one of pool.workers) {
    const state = one.state + (one.unhealthy ? ", unhealthy" : "");
    table.append(row([one.slot, one.generation, one.pid || "", state, age(one.age_seconds),
                      one.requests, one.in_flight, memory(one), one.status_text]));
  }
  const scroll = node("div", null, "scroll");
  scroll.append(table);
  return scroll;
};
// Of each pool the last ends that nobody asked for; read again when there is another one, or more is
// known of the last.
let certificates = [];
let newest = "";
const readCertificates = async status => {
  const ends = status.pools.map(pool => pool.last_exit && [pool.last_exit.number,
    pool.last_exit.diagnosis, pool.last_exit.detail, pool.last_exit.explanation]);
  const now = JSON.stringify([status.supervisor.started, ends]);
  if (now === newest) return;
  certificates = await read("/api/v1/certificates?expected=false&last=3");
  newest = now;
};
const deaths = pool => {
  const own = certificates.filter(one => one.pool === pool);
  if (!own.length) return [];
  const list = node("ul", null, "deaths");
  for (const one of own) {
    const item = node("li");
    const what = one.diagnosis + (one.detail ? " (" + one.detail + ")" : "");
    item.append(badge(what.replaceAll("_", " "), "bad"), " worker " + one.worker + " " +
      one.explanation, node("span", ", " + age(Date.now() / 1000 - one.ended) + " ago", "dim"));
    if (one.next_step) item.append(node("span", one.next_step, "next"));
    list.append(item);
  }
  const more = node("p", "All that is known of them: ", "dim");
  more.append(node("code", "poolwarden why " + pool));
  return [list, more];
};
const section = pool => {
  const made = node("section");
  const head = node("div", null, "head");
  head.append(node("h2", pool.name), poolBadge(pool));
  if (pool.essential) head.append(node("span", "essential", "dim"));
  made.append(head);
  if (pool.reason) made.append(node("p", pool.reason, "why"));
  made.append(facts(pool));
  if (pool.workers.length) made.append(workers(pool));
  made.append(...deaths(pool.name));
  return made;
};
const read = async path => (await fetch(path, {headers: {Accept: "application/json"}})).json();
const refresh = async () => {
  const ready = document.getElementById("ready");
  const about = document.getElementById("about");
  try {
    const [status, events] = await Promise.all(
      [read("/api/v1/status"), read("/api/v1/events?limit=20")]);
    await readCertificates(status);
    const self = status.supervisor;
    ready.textContent = self.stopping ? "stopping" : self.ready ? "ready" : "not ready";
    ready.className = "badge " + (self.ready ? "good" : "bad");
    about.textContent = "up " + age(self.uptime_seconds) + ", containment " +
      self.containment.cgroup.replaceAll("_", " ") +
      (self.snapshot_age_seconds > 30 ? ", state is " + age(self.snapshot_age_seconds) + " old" : "");
    document.getElementById("pools").replaceChildren(...status.pools.map(section));
    document.getElementById("events").replaceChildren(...events.reverse().map(event =>
      row([event.time.slice(0, 19).replace("T", " "), event.level, event.event,
           (event.pool ?? "") + (event.worker !== undefined ? "/" + event.worker : ""),
           event.message])));
  } catch (error) {
    ready.textContent = "no answer";
    ready.className = "badge bad";
    about.textContent = String(error);
  }
  setTimeout(refresh, 2000);
};
refresh();
</script>
</html>
)html";

}  // namespace poolwarden::admin
