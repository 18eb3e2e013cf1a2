// What is kept of certificates, and what goes first.

#include "journal/certificate_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "fakes/full_certificate.h"
#include "journal/certificate_bounds.h"

namespace poolwarden::journal {
namespace {

using diagnosis::Certificate;
using testing::ElementsAre;
using testing::IsEmpty;

Certificate end_of(const std::string& pool, std::uint32_t slot, bool expected = false) {
  Certificate certificate;
  certificate.pool = pool;
  certificate.slot = slot;
  certificate.diagnosis.expected = expected;
  return certificate;
}

std::vector<std::uint64_t> numbers(const std::vector<KeptCertificate>& certificates) {
  std::vector<std::uint64_t> all;
  for (const KeptCertificate& one : certificates) all.push_back(one->number);
  return all;
}

CertificateQuery all_of(const std::string& pool) {
  return {.pool = pool, .slot = {}, .at_most = 10000, .only_unexpected = false};
}

TEST(CertificateStore, NumbersThemAndTellsTheNewestFirst) {
  CertificateStore store;
  EXPECT_EQ(store.add(end_of("web", 0))->number, 1u);
  EXPECT_EQ(store.add(end_of("api", 0))->number, 2u);
  EXPECT_EQ(store.add(end_of("web", 1))->number, 3u);
  EXPECT_THAT(numbers(store.find(all_of(""))), ElementsAre(3, 2, 1));
  EXPECT_THAT(numbers(store.find(all_of("web"))), ElementsAre(3, 1));
  EXPECT_THAT(numbers(store.find({"web", 0, 20, false})), ElementsAre(1));
  EXPECT_THAT(numbers(store.find({"", {}, 1, false})), ElementsAre(3, 2)) << "one of each pool";
  EXPECT_THAT(store.pools(), ElementsAre("api", "web"));
  EXPECT_EQ(store.numbered(2)->pool, "api");
  EXPECT_EQ(store.numbered(4), nullptr);
}

TEST(CertificateStore, LeavesOutEndsThatWereAskedFor) {
  CertificateStore store;
  store.add(end_of("web", 0));
  store.add(end_of("web", 0, true));
  EXPECT_THAT(numbers(store.find({"web", {}, 20, true})), ElementsAre(1));
}

TEST(CertificateStore, KeepsTheNewestOfEachSlotAndPool) {
  CertificateStore store({.of_slot = 3, .of_pool = 4, .of_all = 5, .bytes = 1 << 20});
  for (int i = 0; i < 5; ++i) store.add(end_of("web", 0));
  EXPECT_THAT(numbers(store.find(all_of("web"))), ElementsAre(5, 4, 3));
  store.add(end_of("web", 1));
  store.add(end_of("web", 1));
  EXPECT_THAT(numbers(store.find(all_of("web"))), ElementsAre(7, 6, 5, 4));
  store.add(end_of("api", 0));
  store.add(end_of("api", 0));
  EXPECT_THAT(numbers(store.find(all_of(""))), ElementsAre(9, 8, 7, 6, 5));
}

TEST(CertificateStore, HasTheBoundsOfTheDocumentation) {
  CertificateStore store;
  for (int i = 0; i < 30; ++i) store.add(end_of("web", 0));
  EXPECT_EQ(store.find(all_of("web")).size(), 20u);
  for (std::uint32_t slot = 1; slot < 300; ++slot) store.add(end_of("web", slot));
  EXPECT_EQ(store.find(all_of("web")).size(), 200u);
  for (int pool = 0; pool < 20; ++pool) {
    for (std::uint32_t slot = 0; slot < 200; ++slot)
      store.add(end_of("p" + std::to_string(pool), slot));
  }
  EXPECT_EQ(store.find(all_of("")).size(), 2000u);
}

TEST(CertificateStore, KeepsACrashLongerThanRecycles) {
  CertificateStore store({.of_slot = 10, .expected = 5});
  store.add(end_of("web", 0));
  for (int i = 0; i < 100; ++i) store.add(end_of("web", 0, true));
  const auto kept = numbers(store.find(all_of("web")));
  EXPECT_EQ(kept.size(), 10u);
  EXPECT_EQ(kept.front(), 101u);
  EXPECT_EQ(kept.back(), 1u) << "the crash";
  for (int i = 0; i < 4; ++i) store.add(end_of("web", 0));
  EXPECT_EQ(store.find({"web", {}, 20, true}).size(), 5u);
  EXPECT_EQ(store.find(all_of("web")).back()->number, 1u) << "five recycles, five crashes";
  store.add(end_of("web", 0));
  EXPECT_EQ(store.find(all_of("web")).back()->number, 97u) << "from here on they go by age";
}

TEST(CertificateStore, HoldsABoundedAmountOfMemory) {
  CertificateStore store({.bytes = 1 << 20});
  Certificate large = end_of("web", 0);
  large.evidence.last_output.assign(60000, 'x');
  for (std::uint32_t slot = 0; slot < 100; ++slot) {
    large.slot = slot;
    store.add(large);
  }
  std::size_t bytes = 0;
  for (const KeptCertificate& one : store.find(all_of("web"))) bytes += weight(*one);
  EXPECT_LE(bytes, 1u << 20);
  EXPECT_GT(bytes, 900'000u);
}

TEST(CertificateStore, CutsWhatIsTooLargeForOne) {
  Certificate certificate = fakes::full_certificate();
  certificate.diagnosis.sentence.assign(100'000, 'x');
  certificate.evidence.last_output = std::string(1'000'000, 'a') + "the end";
  certificate.evidence.output.assign(1000, {true, std::string(1000, 'o')});
  certificate.evidence.output.push_back({true, "the end"});
  certificate.evidence.threads.assign(
      70, {1, 'S', "t", "w", std::vector<std::string>(70, std::string(5000, 'f'))});
  certificate.evidence.cut_requests.assign(1000, {"GET", std::string(9000, 'p'), {}});
  certificate.evidence.backtrace.assign(1000, std::string(9000, 'b'));
  CertificateStore store;
  const KeptCertificate kept = store.add(certificate);
  EXPECT_EQ(kept->diagnosis.sentence.size(), kLongestText + 6);
  EXPECT_EQ(kept->evidence.last_output.size(), kMostOutput);
  EXPECT_TRUE(kept->evidence.last_output.ends_with("the end"));
  EXPECT_EQ(kept->evidence.output.back().text, "the end");
  EXPECT_EQ(kept->evidence.output.size(), 66u) << "65 of 1000 bytes, and the end";
  EXPECT_EQ(kept->evidence.threads.size(), kMostThreads);
  EXPECT_EQ(kept->evidence.threads[0].kernel_stack.size(), kMostFrames);
  EXPECT_EQ(kept->evidence.cut_requests.size(), kMostThreads);
  EXPECT_EQ(kept->evidence.backtrace.size(), kMostFrames);
  EXPECT_EQ(store.find(all_of("web")).size(), 1u) << "the newest stays whatever it weighs";
}

TEST(CertificateStore, TakesWhatBecomesKnownLater) {
  CertificateStore store;
  Certificate crash = end_of("web", 0);
  crash.generation = 3;
  crash.pid = 77;
  store.add(crash);
  store.add(end_of("web", 0));
  crash.evidence.backtrace = {"main ()"};
  const KeptCertificate by_process = store.amend(crash);  // whoever tells may not know the number
  ASSERT_TRUE(by_process);
  EXPECT_EQ(by_process->number, 1u);
  EXPECT_THAT(store.find("web", 0, 3, 77)->evidence.backtrace, ElementsAre("main ()"));
  crash.number = 2;
  crash.evidence.backtrace = {"other ()"};
  EXPECT_EQ(store.amend(crash)->number, 2u);
  EXPECT_THAT(numbers(store.find(all_of("web"))), ElementsAre(2, 1));
  crash.number = 99;
  EXPECT_EQ(store.amend(crash), nullptr);
  crash.number = 0;
  crash.pid = 78;
  EXPECT_EQ(store.amend(crash), nullptr);
  EXPECT_EQ(store.find("web", 0, 3, 78), nullptr);
}

TEST(CertificateStore, GoesOnCountingAfterThoseOfAnEarlierSupervisor) {
  CertificateStore store;
  Certificate earlier = end_of("web", 0);
  earlier.number = 41;
  store.restore(earlier);
  earlier.pid = 5;
  store.restore(earlier);  // amended: the last one counts
  EXPECT_EQ(store.add(end_of("web", 0))->number, 42u);
  EXPECT_THAT(numbers(store.find(all_of("web"))), ElementsAre(42, 41));
  EXPECT_EQ(store.find(all_of("web")).back()->pid, 5);
}

TEST(CertificateStore, MayBeReadWhileItIsWritten) {
  CertificateStore store;
  std::thread reader([&] {
    for (int i = 0; i < 500; ++i) (void)store.find(all_of("web"));
  });
  for (int i = 0; i < 500; ++i) store.add(end_of("web", static_cast<std::uint32_t>(i % 7)));
  reader.join();
  EXPECT_EQ(store.find(all_of("web")).size(), 140u);
}

}  // namespace
}  // namespace poolwarden::journal
