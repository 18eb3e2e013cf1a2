// What becomes known of a worker after its end.

#include "unit/pool/pool_watching.h"

namespace poolwarden::pool {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

diagnosis::CutRequest cut(const std::string& path) { return {"GET", path, 3s}; }

std::shared_ptr<const diagnosis::Certificate> amended(const Decision& decision) {
  const Event* told = event(decision, EventKind::WorkerPostMortem);
  return told ? std::get<PostMortemDetails>(told->details).certificate : nullptr;
}

diagnosis::Evidence core_at(const std::string& path) {
  diagnosis::Evidence found;
  found.core = diagnosis::CoreFile{path, 3 << 20, ""};
  found.backtrace = {"#0  main ()"};
  return found;
}

TEST(PostMortem, IsToldWithTheWholeCertificate) {
  Bench bench(web());
  bench.begin();
  bench.pool.worker_spawned(WorkerId{1}, 4711);
  bench.ready(1);
  bench.exits(1, kCrash);
  const Decision decision = bench.pool.found_later(WorkerId{1}, core_at("/srv/core"));
  EXPECT_THAT(kinds(decision), ElementsAre(EventKind::WorkerPostMortem));
  EXPECT_THAT(decision.actions, IsEmpty());
  EXPECT_EQ(decision.events[0].worker->pid, 4711);
  EXPECT_THAT(decision.events[0].sentence, HasSubstr("its core file is /srv/core (3MiB)"));
  EXPECT_THAT(decision.events[0].sentence, HasSubstr("it stood in #0  main ()"));
  const auto certificate = amended(decision);
  ASSERT_NE(certificate, nullptr);
  EXPECT_EQ(certificate->pid, 4711);
  EXPECT_EQ(certificate->evidence.status, kCrash);
  EXPECT_EQ(certificate->evidence.core->path, "/srv/core");
  EXPECT_EQ(certificate->diagnosis.cause, diagnosis::Cause::Segfault);
  EXPECT_EQ(bench.snapshot().last_certificate, certificate);
}

TEST(PostMortem, CountsNothingAnew) {
  PoolSettings settings = web();
  settings.rapid_fail.failures = 2;
  Bench bench(settings);
  bench.serve(1, 1);
  bench.exits(1, kCrash);
  bench.pool.found_later(WorkerId{1}, core_at("/srv/core"));
  EXPECT_EQ(bench.snapshot().window_failures, 1u);
}

TEST(PostMortem, IsDiagnosedAnewButCountedAsItWas) {
  PoolSettings settings = web();
  settings.rapid_fail.failures = 2;
  Bench bench(settings);
  bench.serve(1, 1);
  const Decision end = bench.exits(1, kCrash);
  const auto before = std::get<ExitDetails>(end.events[0].details).certificate;
  EXPECT_EQ(before->diagnosis.cause, diagnosis::Cause::Segfault);
  diagnosis::Evidence found;
  found.fault.emplace();
  found.fault->si_code = 1;
  found.fault->address = 0x7ffc0000;
  found.fault->stack_pointer = 0x7ffc0008;
  found.fault->is_stack_exhausted = true;
  const Decision decision = bench.pool.found_later(WorkerId{1}, found);
  EXPECT_THAT(kinds(decision), ElementsAre(EventKind::WorkerPostMortem));
  EXPECT_THAT(decision.actions, IsEmpty());
  EXPECT_EQ(amended(decision)->diagnosis.cause, diagnosis::Cause::StackOverflow);
  EXPECT_EQ(before->diagnosis.cause, diagnosis::Cause::Segfault) << "what was told stays";
  EXPECT_EQ(bench.snapshot().window_failures, 1u);
}

TEST(PostMortem, SaysWhyThereIsNoBacktrace) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.exits(1, kCrash);
  diagnosis::Evidence found;
  found.why_no_backtrace = "neither gdb nor eu-stack is installed";
  const Decision decision = bench.pool.found_later(WorkerId{1}, found);
  ASSERT_NE(amended(decision), nullptr);
  EXPECT_EQ(amended(decision)->evidence.why_no_backtrace, found.why_no_backtrace);
  EXPECT_THAT(decision.events[0].sentence,
              HasSubstr("no backtrace: neither gdb nor eu-stack is installed"));
}

TEST(PostMortem, OfNobodyThatIsKnownIsNotTold) {
  Bench bench(web());
  bench.serve(1, 1);
  EXPECT_TRUE(is_empty(bench.pool.found_later(WorkerId{1}, core_at("/x")))) << "it lives";
  EXPECT_TRUE(is_empty(bench.pool.found_later(WorkerId{9}, core_at("/x"))));
  bench.exits(1, kCrash);
  EXPECT_TRUE(is_empty(bench.pool.found_later(WorkerId{1}, {}))) << "nothing was found";
}

TEST(PostMortem, IsForgottenAfterManyMore) {
  Bench bench(web());
  bench.serve(1, 1);
  std::uint64_t last = 1;
  for (; last < 80; ++last) {
    bench.exits(last, kStoppedWell);
    bench.tick_after(1h);
    bench.ready(last + 1);
  }
  EXPECT_FALSE(bench.pool.remembers(WorkerId{1}));
  EXPECT_TRUE(bench.pool.remembers(WorkerId{last - 1}));
}

// The first `looked_at` of so many that end one after the other are still looked at then.
std::uint64_t end_many(Bench& bench, std::uint64_t looked_at, std::uint64_t all) {
  bench.serve(1, 1);
  for (std::uint64_t id = 1; id <= all; ++id) {
    diagnosis::Evidence evidence;
    evidence.status = kCrash;
    evidence.is_more_to_come = id <= looked_at;
    bench.pool.worker_exited(WorkerId{id}, evidence, bench.now, {});
    bench.tick_after(1h);
    bench.ready(id + 1);
  }
  return all;
}

TEST(PostMortem, OfOneThatIsStillLookedAtIsToldHoweverManyHaveEndedSince) {
  Bench bench(web());
  end_many(bench, 5, 100);
  EXPECT_FALSE(bench.pool.remembers(WorkerId{6})) << "nobody looks at it";
  const auto certificate = amended(bench.pool.found_later(WorkerId{1}, core_at("/srv/core")));
  ASSERT_NE(certificate, nullptr);
  EXPECT_EQ(certificate->evidence.core->path, "/srv/core");
  EXPECT_FALSE(certificate->evidence.is_more_to_come);
  EXPECT_TRUE(is_empty(bench.pool.found_later(WorkerId{2}, {}))) << "nothing was found";
}

TEST(PostMortem, ThatNeverEndsHoldsNoMoreThanSoMany) {
  Bench bench(web());
  const std::uint64_t last = end_many(bench, 200, 200);
  EXPECT_FALSE(bench.pool.remembers(WorkerId{1}));
  EXPECT_FALSE(bench.pool.remembers(WorkerId{last - 128}));
  EXPECT_TRUE(bench.pool.remembers(WorkerId{last - 127}));
}

TEST(CutRequests, ThatAreToldBeforeTheEndAreInItsCertificate) {
  Bench bench(web());
  bench.serve(1, 1);
  EXPECT_TRUE(is_empty(bench.pool.request_cut_short(WorkerId{1}, cut("/a"), bench.now)));
  const Decision end = bench.exits(1, kCrash);
  const auto certificate = std::get<ExitDetails>(end.events[0].details).certificate;
  ASSERT_EQ(certificate->evidence.cut_requests.size(), 1u);
  EXPECT_EQ(certificate->evidence.cut_requests[0].path, "/a");
}

TEST(CutRequests, ThatAreToldAfterTheEndAreToldTogether) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.exits(1, kCrash);
  EXPECT_TRUE(is_empty(bench.pool.request_cut_short(WorkerId{1}, cut("/a"), bench.now)));
  EXPECT_EQ(bench.until_next(), Duration(300ms));
  bench.now += 200ms;
  EXPECT_TRUE(is_empty(bench.pool.request_cut_short(WorkerId{1}, cut("/b"), bench.now)));
  EXPECT_EQ(bench.until_next(), Duration(100ms)) << "it is not put off";
  const Decision decision = bench.tick_after(100ms);
  ASSERT_NE(amended(decision), nullptr);
  EXPECT_EQ(amended(decision)->evidence.cut_requests.size(), 2u);
  EXPECT_THAT(decision.events[0].sentence,
              HasSubstr("2 requests short: GET /a after 3s, GET /b after 3s"));
  EXPECT_EQ(amended(bench.tick_after(1h)), nullptr);
}

TEST(CutRequests, AreToldWithWhatElseIsFound) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.exits(1, kCrash);
  bench.pool.request_cut_short(WorkerId{1}, cut("/a"), bench.now);
  const auto both = amended(bench.pool.found_later(WorkerId{1}, core_at("/srv/core")));
  ASSERT_NE(both, nullptr);
  EXPECT_EQ(both->evidence.cut_requests.size(), 1u);
  EXPECT_EQ(both->evidence.core->path, "/srv/core");
  EXPECT_EQ(amended(bench.tick_after(1h)), nullptr);
  bench.pool.request_cut_short(WorkerId{1}, cut("/b"), bench.now);
  EXPECT_EQ(amended(bench.tick_after(300ms))->evidence.cut_requests.size(), 2u);
}

TEST(CutRequests, AreAFewOfEachWorker) {
  Bench bench(web());
  bench.serve(1, 1);
  for (int i = 0; i < 6; ++i) bench.pool.request_cut_short(WorkerId{1}, cut("/a"), bench.now);
  bench.exits(1, kCrash);
  for (int i = 0; i < 6; ++i) bench.pool.request_cut_short(WorkerId{1}, cut("/b"), bench.now);
  EXPECT_EQ(amended(bench.tick_after(300ms))->evidence.cut_requests.size(), 8u);
}

}  // namespace
}  // namespace poolwarden::pool
