#include "process/suspension.h"

#include "process/page_out.h"

namespace poolwarden::process {

Result<void> Suspension::begin(WorkerTree& tree) {
  if (on_) return {};
  if (auto frozen = tree.freeze(); !frozen) return frozen;
  on_ = true;
  page_out_ = start_page_out(io_, known_, tree.members(), tree.leaf().reclaim_order());
  return {};
}

void Suspension::end(WorkerTree& tree) {
  if (!std::exchange(on_, false)) return;
  // It would take away again what the worker is about to use.
  page_out_.reset();
  tree.thaw();
}

}  // namespace poolwarden::process
