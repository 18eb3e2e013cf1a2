// What tells one kind of host from another, and which cure is told there.

#include "doctor/host.h"

#include <gtest/gtest.h>

namespace poolwarden::doctor {
namespace {

TEST(Host, IsToldByItsSigns) {
  HostSigns signs;
  EXPECT_EQ(tell_host(signs).kind, HostKind::Plain);
  signs.cgroup = "0::/system.slice/app.service\n";
  EXPECT_EQ(tell_host(signs).kind, HostKind::Plain) << "somebody logged in, say";
  signs.invocation = "0123";
  EXPECT_EQ(tell_host(signs).kind, HostKind::Systemd);
  signs.container = "lxc";
  EXPECT_EQ(tell_host(signs).kind, HostKind::OtherContainer);
  EXPECT_EQ(tell_host(signs).evidence, "$container is lxc");
  signs.container = "podman";
  EXPECT_EQ(tell_host(signs).kind, HostKind::Podman);
  signs.has_dockerenv = true;
  EXPECT_EQ(tell_host(signs).kind, HostKind::Docker);
  EXPECT_EQ(tell_host(signs).evidence, "/.dockerenv");
  // Its containers are made by an engine too.
  signs.kubernetes_service = "10.0.0.1";
  EXPECT_EQ(tell_host(signs).kind, HostKind::Kubernetes);
}

TEST(Host, APodmanContainerHasAFileOfItsOwn) {
  HostSigns signs;
  signs.has_containerenv = true;
  EXPECT_EQ(describe(tell_host(signs)), "a Podman container (/run/.containerenv)");
}

const cgroup::Cure kCures = {"--cap-add KILL", "capabilities: {add: [KILL]}",
                             "CapabilityBoundingSet=CAP_KILL", ""};

TEST(Cure, NamesTheFlagOfTheHost) {
  EXPECT_EQ(cure(kCures, {HostKind::Docker, ""}), "start the container with --cap-add KILL");
  EXPECT_EQ(cure(kCures, {HostKind::Podman, ""}), "start the container with --cap-add KILL");
  EXPECT_EQ(cure(kCures, {HostKind::Kubernetes, ""}),
            "in the container's securityContext: capabilities: {add: [KILL]}");
  EXPECT_EQ(cure(kCures, {HostKind::Systemd, ""}), "in the unit: CapabilityBoundingSet=CAP_KILL");
}

TEST(Cure, NamesAllFlagsWhereTheHostIsNotKnown) {
  EXPECT_EQ(cure(kCures, {}),
            "Docker: --cap-add KILL; Kubernetes: capabilities: {add: [KILL]}; systemd: "
            "CapabilityBoundingSet=CAP_KILL");
  EXPECT_EQ(cure({"--user 0", "", "", "start it as root"}, {}), "start it as root");
}

const std::string kSentence =
    "cannot look; in Docker, start the container with --cap-add A; in Kubernetes, with "
    "capabilities: {add: [A]}; under systemd, with CapabilityBoundingSet=CAP_A";

TEST(TakenApart, IsASentenceWithTheCureOfTheHost) {
  EXPECT_EQ(take_apart(kSentence, {HostKind::Docker, ""}).what, "cannot look");
  EXPECT_EQ(take_apart(kSentence, {HostKind::Docker, ""}).cure,
            "start the container with --cap-add A");
  EXPECT_EQ(take_apart(kSentence, {HostKind::Kubernetes, ""}).cure,
            "with capabilities: {add: [A]}");
  EXPECT_EQ(take_apart(kSentence, {HostKind::Systemd, ""}).cure,
            "with CapabilityBoundingSet=CAP_A");
  EXPECT_TRUE(take_apart(kSentence, {}).cure.starts_with("in Docker, "));
}

TEST(TakenApart, TakesWhatThereIsWhereTheHostIsNotNamed) {
  const std::string sentence =
      "cannot limit cpu; under systemd, with Delegate=yes; elsewhere, enable it above";
  EXPECT_EQ(take_apart(sentence, {}).cure, "enable it above");
  EXPECT_EQ(take_apart(sentence, {HostKind::Docker, ""}).what, "cannot limit cpu");
  EXPECT_EQ(take_apart(sentence, {HostKind::Docker, ""}).cure,
            "under systemd, with Delegate=yes; elsewhere, enable it above");
}

TEST(TakenApart, LeavesOtherSentencesWhole) {
  const std::string sentence = "cannot do it: try something else";
  EXPECT_EQ(take_apart(sentence, {HostKind::Docker, ""}).what, sentence);
  EXPECT_EQ(take_apart(sentence, {HostKind::Docker, ""}).cure, "");
}

}  // namespace
}  // namespace poolwarden::doctor
