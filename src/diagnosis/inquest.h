// The parts of diagnose(): one for each way in which a worker can end.

#pragma once

#include <string>
#include <vector>

#include "diagnosis/diagnosis.h"
#include "diagnosis/output_clues.h"

namespace poolwarden::diagnosis {

// All that is known of one end.
struct Inquest {
  const Evidence& evidence;
  const Circumstances& circumstances;
  std::string output;  // the end of what it wrote
  std::vector<OutputClue> clues;

  // If it is not long past: a program that logs an error may well go on. Only where a shell or a
  // loader could not begin at all, what it said counts however much came after it.
  const OutputClue* clue(ClueKind kind) const;
};

// Each tells cause, detail, sentence and next step of one kind of end. Who sent a signal, and
// whether it was expected, diagnose() adds.
Diagnosis judge_code(const Exited& end, const Inquest& inquest);
Diagnosis judge_signal(const Signaled& end, const Inquest& inquest);
Diagnosis judge_start(const NotStarted& end, const Inquest& inquest);
Diagnosis judge_timeout(Cause cause, const Inquest& inquest);
std::string describe_timeout(Cause cause, const Inquest& inquest);  // "did not answer … within 30s"

// A file that was looked at by itself, and is for another machine; null: none.
const LoaderFinding* foreign_file(const Evidence& evidence);

Sender sender_of(const Inquest& inquest);

// What the core file or the kernel's log says of where its signal came from. None: neither does.
enum class Origin { Unknown, Kernel, Itself, Stranger };
Origin origin_of(const Inquest& inquest);

// What the output says of an end by code or by SIGABRT: detail, what happened in the words of a
// sentence ("after an uncaught exception: …"), next step. Detail::None: nothing.
struct Reading {
  Detail detail = Detail::None;
  std::string words;
  std::string next_step;
};
Reading read_loader(const Inquest& inquest);   // ld.so's texts
Reading read_failure(const Inquest& inquest);  // those of programs that end with an exit code
Reading read_abort(const Inquest& inquest);    // those before abort()
Reading read_port(const Inquest& inquest);     // an address that is taken

// The kernel's OOM killer.
bool was_struck_by_oom(const Evidence& evidence);  // it, or one of its tree, shortly before
// 128 + SIGKILL, as shells tell of a child.
bool is_end_of_struck_child(const Exited& end, const Evidence& evidence);
Reading read_oom(const Evidence& evidence);

// The cgroup and the tree, as an addition to any sentence: "; limits.pids refused 3 forks".
std::string aside(const Inquest& inquest, const Diagnosis& told);

}  // namespace poolwarden::diagnosis
