// Where the admin address takes its answers from. All of it is asked on the admin thread and must
// outlive the server.

#pragma once

#include <boost/json/object.hpp>
#include <functional>

#include "journal/death_register.h"
#include "journal/journal.h"
#include "loop/published.h"
#include "metrics/exposition.h"
#include "pool/snapshot.h"

namespace poolwarden::admin {

struct AdminSources {
  const loop::Published<pool::Snapshot>& snapshots;
  const metrics::Exposition& exposition;
  std::function<boost::json::object()> status;
  journal::Journal& journal;
  const journal::DeathRegister& deaths;
};

}  // namespace poolwarden::admin
