// Looks at what may never answer, such as a file on a server that is gone or a user in a directory
// service: a child looks, and is given up when nothing has been heard of it for too long.

#pragma once

#include <chrono>
#include <functional>

#include "doctor/teller.h"

namespace poolwarden::doctor {

using Look = std::function<void(const Teller&)>;

// All that `look` tells, in a child. Silence of the child for longer than `patience`, and an end
// before its end, are a problem of their own, behind what was told until then. For a process with
// one thread only: the child is a copy of all of it.
Checks look_patiently(std::chrono::milliseconds patience, const Look& look);

// The mount that a path lies in, of a text as /proc/self/mountinfo (proc(5)) has it: nothing is
// looked at that could hang. "/srv (nfs4, of server:/export)"; empty where there is none.
std::string mount_of(const std::string& mountinfo, const std::string& path);

}  // namespace poolwarden::doctor
