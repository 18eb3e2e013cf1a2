#include "process/child_step.h"

#include "process/cpu_list.h"

namespace poolwarden::process {

using diagnosis::SpawnStage;

SpawnStage stage_of(ChildStep step) {
  switch (step) {
    case ChildStep::EnterCgroup:
      return SpawnStage::Cgroup;
    case ChildStep::Session:
    case ChildStep::ParentDeath:
      return SpawnStage::Session;
    case ChildStep::Descriptors:
      return SpawnStage::Stdio;
    case ChildStep::OpenFiles:
    case ChildStep::Core:
    case ChildStep::Affinity:
      return SpawnStage::Limits;
    case ChildStep::Groups:
    case ChildStep::Group:
    case ChildStep::User:
    case ChildStep::Capabilities:
    case ChildStep::NoNewPrivileges:
      return SpawnStage::Identity;
    case ChildStep::Directory:
      return SpawnStage::Directory;
    case ChildStep::Exec:
      return SpawnStage::Exec;
  }
  return SpawnStage::Exec;
}

std::string subject_of(ChildStep step, const LaunchPlan& plan) {
  const auto id = [&](auto member) {
    return plan.identity ? std::to_string((*plan.identity).*member) : std::string();
  };
  switch (step) {
    case ChildStep::EnterCgroup:
      return "cannot enter its cgroup";
    case ChildStep::Session:
      return "cannot start a session";
    case ChildStep::ParentDeath:
      return "cannot tie its life to the supervisor's";
    case ChildStep::Descriptors:
      return "cannot place its descriptors";
    case ChildStep::OpenFiles:
      return "cannot set limits.open_files to " + std::to_string(plan.open_files.value_or(0));
    case ChildStep::Core:
      return "cannot set limits.core to " + std::to_string(plan.core.value_or(0));
    case ChildStep::Affinity:
      return "cannot set limits.affinity to " +
             (plan.affinity ? describe_cpus(*plan.affinity) : "");
    case ChildStep::Groups:
      return "cannot set its supplementary groups";
    case ChildStep::Group:
      return "cannot become group " + id(&Credentials::gid);
    case ChildStep::User:
      return "cannot become user " + id(&Credentials::uid);
    case ChildStep::Capabilities:
      return "cannot set its capabilities";
    case ChildStep::NoNewPrivileges:
      return "cannot set no_new_privileges";
    case ChildStep::Directory:
      return plan.directory.value_or("");
    case ChildStep::Exec:
      return plan.program;
  }
  return "";
}

}  // namespace poolwarden::process
