// Ends of workers, as tests make them up.

#pragma once

#include <gmock/gmock.h>

#include <string>
#include <utility>

#include "diagnosis/diagnosis.h"

namespace poolwarden::diagnosis {

inline Evidence left(ExitStatus status, std::string output = "") {
  Evidence evidence;
  evidence.status = std::move(status);
  evidence.last_output = std::move(output);
  return evidence;
}

inline Diagnosis unasked(const Evidence& evidence) { return diagnose(evidence, {}); }

struct Expected {
  Cause cause;
  Detail detail;
  const char* sentence;   // all of it
  const char* next_step;  // a part of it
};

inline void expect(const Diagnosis& told, const Expected& expected) {
  EXPECT_EQ(name(told.cause), name(expected.cause)) << told.sentence;
  EXPECT_EQ(name(told.detail), name(expected.detail)) << told.sentence;
  EXPECT_EQ(told.sentence, expected.sentence);
  EXPECT_THAT(told.next_step, testing::HasSubstr(expected.next_step)) << told.sentence;
}

}  // namespace poolwarden::diagnosis
