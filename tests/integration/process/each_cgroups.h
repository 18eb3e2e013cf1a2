// Workers with the cgroups of this machine, with those of v1 alone, and without any, as in a
// default container: what is true of a worker is to be true in each of them.

#pragma once

#include "integration/process/host_fixture.h"

namespace poolwarden::process {

enum class Cgroups { Real, OnlyV1, None };

inline cgroup::Places places_of(Cgroups cgroups) {
  switch (cgroups) {
    case Cgroups::Real:
      return {};
    case Cgroups::OnlyV1:
      return cgroup::only_v1();
    case Cgroups::None:
      break;
  }
  return kNoCgroups;
}

inline std::string name_of(const testing::TestParamInfo<Cgroups>& param) {
  switch (param.param) {
    case Cgroups::Real:
      return "Real";
    case Cgroups::OnlyV1:
      return "OnlyV1";
    case Cgroups::None:
      break;
  }
  return "None";
}

struct EachCgroups : HostFixture, testing::WithParamInterface<Cgroups> {
  EachCgroups() : HostFixture(places_of(GetParam())) {}

  void SetUp() override {
    if (GetParam() == Cgroups::OnlyV1 && tree.report().cgroup != "v1")
      GTEST_SKIP() << "no cgroup of v1 can be written here";
  }
};

inline const auto kEachCgroups = testing::Values(Cgroups::Real, Cgroups::OnlyV1, Cgroups::None);

}  // namespace poolwarden::process
