// The orders `plan` and `reload`: what a new configuration changes, told or done.

#include <boost/json/array.hpp>
#include <map>

#include "cli/commands.h"
#include "cli/orders.h"
#include "cli/request_fields.h"

namespace poolwarden::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using control::Conversation;
using supervisor::PoolOutcome;
using supervisor::Standing;

json::object as_json(const ReloadAnswer& plan) {
  json::array pools;
  for (const config::PoolChange& change : plan.comparison.pools) {
    const json::array keys(change.keys.begin(), change.keys.end());
    pools.push_back(json::object{
        {"pool", change.pool}, {"change", std::string(name(change.change))}, {"keys", keys}});
  }
  const auto& live = plan.comparison.live;
  const auto& fixed = plan.comparison.fixed;
  json::object all{{"pools", pools},
                   {"live", json::array(live.begin(), live.end())},
                   {"fixed", json::array(fixed.begin(), fixed.end())}};
  all["refused"] = plan.refusal.empty() ? json::value() : json::value(plan.refusal);
  return all;
}

void append(std::string& text, const std::string& more) {
  if (!more.empty()) text += (text.empty() ? "" : "; ") + more;
}

// All of it: pending as long as one is, failed if one has.
Standing overview(const supervisor::Supervisor& supervisor,
                  const std::vector<PoolOutcome>& outcomes) {
  std::map<Standing::Stage, Standing> stages;
  for (const PoolOutcome& outcome : outcomes) {
    if (outcome.change.change == config::Change::Unchanged) continue;
    const Standing one = supervisor.standing(outcome);
    Standing& all = stages[one.stage];
    all.stage = one.stage;
    append(all.sentence, one.sentence);
    append(all.holdup, one.holdup);
  }
  for (const Standing::Stage stage : {Standing::Stage::Pending, Standing::Stage::Failed}) {
    if (stages.contains(stage)) return stages[stage];
  }
  return stages[Standing::Stage::Done];
}

}  // namespace

asio::awaitable<bool> Orders::send_findings(std::vector<std::string> findings,
                                            Conversation& client) {
  for (const std::string& finding : findings) {
    if (!co_await client.send(line_of("finding", json::value(finding)))) co_return false;
  }
  co_return true;
}

asio::awaitable<void> Orders::plan(const json::object& request, Conversation& client) {
  const ReloadAnswer answer = reloading_.plan(text(request, "file"));
  if (!co_await send_findings(answer.findings, client)) co_return;
  if (answer.exit_code == kDone) {
    co_await client.finish(kDone, "", as_json(answer));
  } else {
    co_await client.finish(answer.exit_code, answer.message);
  }
}

// It is done when the client hears of the first finding: whether the client stays or not.
asio::awaitable<void> Orders::reload(const json::object& request, Conversation& client) {
  const ReloadAnswer answer = reloading_.reload(text(request, "file"));
  if (!co_await send_findings(answer.findings, client)) co_return;
  const Patience patience = Orders::patience(request);
  if (answer.exit_code == kDone && patience.wait) {
    co_await follow_reload(answer, patience, client);
  } else {
    co_await client.finish(answer.exit_code, answer.message);
  }
}

asio::awaitable<void> Orders::follow_reload(ReloadAnswer answer, Patience patience,
                                            Conversation& client) {
  std::string told;
  for (;;) {
    const Standing now = overview(supervisor_, answer.outcomes);
    if (now.stage != Standing::Stage::Pending) {
      const bool well = now.stage == Standing::Stage::Done;
      const std::string outcome = now.sentence.empty() ? answer.message : now.sentence;
      co_await client.finish(well ? kDone : kFailed, outcome);
      co_return;
    }
    if (Clock::now() >= patience.deadline) {
      std::string outcome = "timed out: " + now.sentence;
      if (!now.holdup.empty()) outcome += ", " + now.holdup;
      co_await client.finish(kTimedOut, outcome);
      co_return;
    }
    if (now.sentence != told) {
      told = now.sentence;
      if (!co_await client.send(line_of("progress", json::value(told)))) co_return;
    }
    co_await changes_.wait_until(patience.deadline);
    if (client.has_left()) co_return;
  }
}

}  // namespace poolwarden::cli
