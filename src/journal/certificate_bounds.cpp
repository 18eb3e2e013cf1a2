#include "journal/certificate_bounds.h"

#include <algorithm>

namespace poolwarden::journal {
namespace {

using diagnosis::Certificate;
using diagnosis::Evidence;

constexpr const char* kCut = " (cut)";

void cut(std::string& text) {
  if (text.size() <= kLongestText) return;
  text.resize(kLongestText);
  text += kCut;
}

void cut(std::vector<std::string>& texts) {
  if (texts.size() > kMostFrames) texts.resize(kMostFrames);
  for (std::string& text : texts) cut(text);
}

template <typename T>
void keep_first(std::vector<T>& all) {
  if (all.size() > kMostThreads) all.erase(all.begin() + kMostThreads, all.end());
}

void cut_output(Evidence& evidence) {
  if (evidence.last_output.size() > kMostOutput)
    evidence.last_output.erase(0, evidence.last_output.size() - kMostOutput);
  std::size_t bytes = 0;
  auto oldest = evidence.output.end();
  while (oldest != evidence.output.begin()) {
    cut(std::prev(oldest)->text);
    bytes += std::prev(oldest)->text.size();
    if (bytes > kMostOutput) break;
    --oldest;
  }
  evidence.output.erase(evidence.output.begin(), oldest);
}

void cut_lists(Evidence& evidence) {
  keep_first(evidence.threads);
  for (diagnosis::ThreadState& thread : evidence.threads) {
    cut(thread.name);
    cut(thread.waits_in);
    cut(thread.kernel_stack);
  }
  keep_first(evidence.cut_requests);
  for (diagnosis::CutRequest& request : evidence.cut_requests) {
    cut(request.method);
    cut(request.path);
  }
  keep_first(evidence.loader);
  for (diagnosis::LoaderFinding& finding : evidence.loader) {
    cut(finding.object);
    cut(finding.needed);
    cut(finding.found);
    cut(finding.machine);
  }
  cut(evidence.left_behind);
  cut(evidence.backtrace);
  cut(evidence.why_no_backtrace);
}

std::size_t weight(const std::vector<std::string>& texts) {
  std::size_t bytes = 0;
  for (const std::string& text : texts) bytes += sizeof text + text.size();
  return bytes;
}

}  // namespace

Certificate bounded(Certificate certificate) {
  cut(certificate.diagnosis.sentence);
  cut(certificate.diagnosis.next_step);
  cut(certificate.recycle_reason);
  cut(certificate.debug_tool);
  Evidence& evidence = certificate.evidence;
  if (auto* end = std::get_if<diagnosis::NotStarted>(&evidence.status)) cut(end->what);
  cut(evidence.protocol_breach);
  if (evidence.probe) {
    cut(evidence.probe->path);
    cut(evidence.probe->error);
  }
  if (evidence.port_holder) cut(evidence.port_holder->name);
  if (evidence.core) {
    cut(evidence.core->path);
    cut(evidence.core->why_none);
  }
  cut_output(evidence);
  cut_lists(evidence);
  return certificate;
}

Certificate without_lists(Certificate certificate) {
  Evidence& evidence = certificate.evidence;
  evidence.last_output = {};
  evidence.output = {};
  evidence.threads = {};
  evidence.cut_requests = {};
  evidence.left_behind = {};
  evidence.loader = {};
  evidence.backtrace = {};
  return certificate;
}

std::size_t weight(const Certificate& certificate) {
  const Evidence& evidence = certificate.evidence;
  std::size_t bytes =
      sizeof certificate + certificate.pool.size() + certificate.diagnosis.sentence.size() +
      certificate.diagnosis.next_step.size() + certificate.recycle_reason.size() +
      evidence.last_output.size() + evidence.protocol_breach.size() +
      evidence.why_no_backtrace.size() + weight(evidence.left_behind) + weight(evidence.backtrace);
  if (evidence.core) bytes += evidence.core->path.size() + evidence.core->why_none.size();
  for (const auto& line : evidence.output) bytes += sizeof line + line.text.size();
  for (const auto& thread : evidence.threads)
    bytes +=
        sizeof thread + thread.name.size() + thread.waits_in.size() + weight(thread.kernel_stack);
  for (const auto& request : evidence.cut_requests)
    bytes += sizeof request + request.method.size() + request.path.size();
  for (const auto& finding : evidence.loader) {
    bytes += sizeof finding + finding.object.size() + finding.needed.size() + finding.found.size() +
             finding.machine.size();
  }
  return bytes;
}

}  // namespace poolwarden::journal
