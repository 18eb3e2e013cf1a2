#include "sample/page.h"

#include <array>
#include <utility>

namespace poolwarden::sample {
namespace {

constexpr std::string_view kPage = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Poolwarden: worker @SLOT@ of pool @POOL@</title>
<style>
  :root { color-scheme: light dark; --line: #8884; --soft: #8882; --good: #1a7f37; --bad: #c93c37; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.4rem; margin: 0; }
  h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
  dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .75rem; }
  dl div { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .75rem; }
  dt { font-size: .8rem; opacity: .7; }
  dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
  .changed { outline: 2px solid var(--good); }
  button { font: inherit; padding: .4rem .8rem; border: 1px solid var(--line); border-radius: .5rem;
           background: var(--soft); cursor: pointer; margin: 0 .25rem .5rem 0; }
  button:focus-visible { outline: 2px solid; }
  pre, ol { background: var(--soft); border-radius: .5rem; padding: .75rem; overflow-x: auto; }
  ol { list-style: none; margin: 0; min-height: 3rem; font: .85rem/1.6 ui-monospace, monospace; }
  .ok { color: var(--good); } .error { color: var(--bad); }
</style>
</head>
<body>
<h1>This page came from a worker that Poolwarden looks after</h1>
<p>Break it with a button: the next answer comes from its replacement.</p>
<dl>
  <div><dt>pool</dt><dd id="pool">@POOL@</dd></div>
  <div><dt>worker</dt><dd id="worker">@SLOT@</dd></div>
  <div><dt>generation</dt><dd id="generation">@GENERATION@</dd></div>
  <div><dt>process</dt><dd id="pid">@PID@</dd></div>
  <div><dt>requests served</dt><dd id="requests">@REQUESTS@</dd></div>
</dl>

<h2>Misbehave</h2>
<p>
  <button data-path="/crash?signal=SEGV">Crash (SIGSEGV)</button>
  <button data-path="/crash?signal=ABRT">Abort</button>
  <button data-path="/exit?code=3">Exit with code 3</button>
  <button data-path="/hang">Hang this request</button>
  <button data-path="/leak?bytes=64MiB">Leak 64 MiB</button>
  <button data-path="/slow?seconds=2">Answer in 2 s</button>
  <button data-path="/flood?lines=1000">Flood the log</button>
  <button data-path="/fork?count=3">Leave 3 children</button>
  <button data-path="/ignore-term">Ignore SIGTERM</button>
</p>
<ol id="log" aria-live="polite"><li>Answers appear here.</li></ol>

<h2>The same from a terminal</h2>
<pre>curl http://@HOST@/info
curl -i -X POST 'http://@HOST@/crash?signal=SEGV'
curl -i -X POST 'http://@HOST@/exit?code=3'
curl -X POST 'http://@HOST@/leak?bytes=64MiB'
curl 'http://@HOST@/slow?seconds=2'
curl -N 'http://@HOST@/stream?chunks=5&amp;interval=500'
poolwarden status
poolwarden events</pre>

<script>
  const show = (id, value) => {
    const place = document.getElementById(id);
    if (place.textContent === String(value)) return;
    place.textContent = value;
    if (id === "requests") return;
    place.parentElement.classList.add("changed");
    setTimeout(() => place.parentElement.classList.remove("changed"), 2000);
  };
  const log = (text, good) => {
    const line = document.createElement("li");
    line.className = good ? "ok" : "error";
    line.textContent = new Date().toLocaleTimeString() + "  " + text;
    document.getElementById("log").prepend(line);
  };
  const refresh = async () => {
    try {
      const about = await (await fetch("/info")).json();
      for (const id of ["pool", "worker", "generation", "pid", "requests"]) show(id, about[id]);
    } catch (error) { /* no worker can answer right now; the next round tells */ }
  };
  const misbehave = async (path) => {
    try {
      const answer = await fetch(path, { method: "POST" });
      const reason = answer.headers.get("X-Poolwarden-Reason");
      log(`${path} -> ${answer.status}${reason ? " " + reason : ""}`, answer.ok);
    } catch (error) {
      log(`${path} -> connection closed`, false);
    }
    refresh();
  };
  for (const button of document.querySelectorAll("button")) {
    button.addEventListener("click", () => misbehave(button.dataset.path));
  }
  setInterval(refresh, 1000);
</script>
</body>
</html>
)html";

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&') {
      safe += "&amp;";
    } else if (c == '<') {
      safe += "&lt;";
    } else if (c == '"' || c == '\'') {
      safe += "&quot;";
    } else {
      safe += c;
    }
  }
  return safe;
}

void replace_all(std::string& text, std::string_view what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

}  // namespace

std::string sample_page(const SampleState& state, std::string_view host) {
  const std::array<std::pair<std::string_view, std::string>, 6> values = {{
      {"@POOL@", escaped(state.identity.pool)},
      {"@SLOT@", escaped(state.identity.slot)},
      {"@GENERATION@", escaped(state.identity.generation)},
      {"@PID@", std::to_string(state.identity.pid)},
      {"@REQUESTS@", std::to_string(state.requests)},
      {"@HOST@", escaped(host)},
  }};
  std::string page(kPage);
  for (const auto& [name, value] : values) replace_all(page, name, value);
  return page;
}

}  // namespace poolwarden::sample
