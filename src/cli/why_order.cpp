#include "cli/why_order.h"

#include <algorithm>

#include "base/units.h"
#include "cli/request_fields.h"

namespace poolwarden::cli {
namespace {

constexpr std::int64_t kMostLives = 2000;

// Also a pool that a reload has removed, or that only an earlier supervisor had.
Result<void> find_pool(const std::string& name, std::vector<std::string> pools,
                       const journal::DeathRegister& deaths) {
  const std::vector<std::string> dead = deaths.certificates().pools();
  pools.insert(pools.end(), dead.begin(), dead.end());
  if (std::find(pools.begin(), pools.end(), name) != pools.end()) return {};
  const auto near = nearest(name, pools);
  return failure("there is no pool \"" + name + "\"" +
                 (near ? "; did you mean \"" + *near + "\"?" : ""));
}

Result<boost::json::object> why_numbered(std::uint64_t wanted,
                                         const journal::DeathRegister& deaths) {
  const auto certificate = deaths.certificates().numbered(wanted);
  if (!certificate)
    return failure("there is no certificate " + std::to_string(wanted) +
                   ": it has been forgotten, or never was");
  boost::json::object answer{{"pool", certificate->pool},
                             {"worker", certificate->slot},
                             {"number", wanted},
                             {"history", boost::json::array()},
                             {"certificates", journal::shown({certificate}).certificates}};
  if (const auto life = deaths.lives().of_certificate(wanted))
    answer["history"].as_array().push_back(journal::as_json(*life));
  return answer;
}

}  // namespace

Result<boost::json::object> why(const boost::json::object& request,
                                const std::vector<std::string>& pools,
                                const journal::DeathRegister& deaths) {
  if (const auto wanted = number(request, "number"))
    return why_numbered(static_cast<std::uint64_t>(std::max<std::int64_t>(*wanted, 0)), deaths);
  journal::CertificateQuery query;
  query.pool = text(request, "pool");
  if (auto found = find_pool(query.pool, pools, deaths); !found) return found.error();
  if (const auto slot = number(request, "worker")) query.slot = static_cast<std::uint32_t>(*slot);
  query.at_most = static_cast<std::size_t>(
      std::clamp<std::int64_t>(number(request, "last").value_or(kMostLives), 1, kMostLives));
  boost::json::object answer{{"pool", query.pool}};
  if (query.slot) answer["worker"] = *query.slot;
  answer["history"] = deaths.history(query);
  journal::Shown shown = journal::shown(deaths.certificates().find(query));
  answer["certificates"] = std::move(shown.certificates);
  if (shown.left_out > 0) answer["left_out"] = shown.left_out;
  if (query.slot && answer["history"].as_array().empty())
    return failure("pool " + query.pool + " has had no worker " + std::to_string(*query.slot));
  return answer;
}

}  // namespace poolwarden::cli
