// The table and the JSON.

#include "doctor/report.h"

#include <gtest/gtest.h>

#include <sstream>

namespace poolwarden::doctor {
namespace {

Report example() {
  return {"poolwarden.yaml",
          "a Docker container (/.dockerenv)",
          {{"pool web",
            "web",
            {ok("program", "/usr/bin/python3"),
             problem("directory", "cannot reach /srv/app",
                     "the directory /srv may not be entered by this user: drwx------ root root",
                     "chmod o+x /srv, or chgrp and chmod g+x it for a group of this user")}},
           {"containment", "", {note("kernel log", "cannot be read", "/dev/kmsg: no", "add it")}}}};
}

TEST(Table, FitsOn80ColumnsAndShowsCauseAndCure) {
  const std::string table = as_table(example());
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_EQ(table,
            "in a Docker container (/.dockerenv)\n"
            "\n"
            "pool web\n"
            "  ok       program       /usr/bin/python3\n"
            "  problem  directory     cannot reach /srv/app\n"
            "                         cause: the directory /srv may not be entered by this\n"
            "                         user: drwx------ root root\n"
            "                         cure: chmod o+x /srv, or chgrp and chmod g+x it for a\n"
            "                         group of this user\n"
            "\n"
            "containment\n"
            "  note     kernel log    cannot be read\n"
            "                         cause: /dev/kmsg: no\n"
            "                         cure: add it\n"
            "\n"
            "1 problem, 1 note\n");
}

TEST(Table, SaysWhenNothingIsWrong) {
  EXPECT_TRUE(as_table({"", "a machine", {}}).ends_with("nothing is wrong\n"));
}

TEST(Json, TellsTheSame) {
  const boost::json::object object = as_json(example());
  EXPECT_EQ(object.at("problems").to_number<int>(), 1);
  EXPECT_EQ(object.at("notes").to_number<int>(), 1);
  const boost::json::array& checks = object.at("checks").as_array();
  ASSERT_EQ(checks.size(), 3U);
  EXPECT_EQ(checks[1].at("pool"), "web");
  EXPECT_EQ(checks[1].at("result"), "problem");
  EXPECT_TRUE(checks[2].at("pool").is_null());
}

TEST(Json, OfChecksIsReadBack) {
  const Checks checks = example().sections[0].checks;
  const Checks again = checks_from_json(to_json(checks));
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[0].outcome, Outcome::Ok);
  EXPECT_EQ(again[1].cause, checks[1].cause);
  EXPECT_EQ(again[1].cure, checks[1].cure);
}

TEST(Json, ThatIsNoCheckIsLeftOut) {
  const boost::json::array array = {1, boost::json::object{{"result", "fine"}},
                                    boost::json::object{{"result", "ok"}}};
  ASSERT_EQ(checks_from_json(array).size(), 1U);
  EXPECT_EQ(checks_from_json(array)[0].found, "");
}

}  // namespace
}  // namespace poolwarden::doctor
