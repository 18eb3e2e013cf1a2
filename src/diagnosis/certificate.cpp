#include "diagnosis/certificate.h"

#include "base/units.h"

namespace poolwarden::diagnosis {

std::string describe(const Certificate& certificate) {
  const Diagnosis& diagnosis = certificate.diagnosis;
  std::string text = "pool " + certificate.pool + ", worker " + std::to_string(certificate.slot) +
                     ", generation " + std::to_string(certificate.generation);
  if (certificate.pid != 0) text += ", pid " + std::to_string(certificate.pid);
  text += ": " + diagnosis.sentence + "\n";
  text += "diagnosis: " + std::string(name(diagnosis.cause)) + "\n";
  text += "status: " + describe(certificate.evidence.status) + "\n";
  text += "uptime: " + describe_duration(certificate.uptime) +
          (certificate.was_ready ? "" : ", was never ready") + "\n";
  if (certificate.evidence.memory_peak != 0)
    text += "memory peak: " + format_bytes(certificate.evidence.memory_peak) + "\n";
  if (!diagnosis.next_step.empty()) text += "next step: " + diagnosis.next_step + "\n";
  if (!certificate.evidence.last_output.empty())
    text += "last output:\n" + certificate.evidence.last_output + "\n";
  return text;
}

}  // namespace poolwarden::diagnosis
