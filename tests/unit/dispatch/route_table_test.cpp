// Which pool a host and path belong to.

#include "dispatch/route_table.h"

#include <gtest/gtest.h>

namespace poolwarden::dispatch {
namespace {

TEST(RouteTable, TakesTheMostSpecificRoute) {
  const RouteTable table({{"*", "/", 0},
                          {"*", "/api", 1},
                          {"example.org", "/", 2},
                          {"example.org", "/api/v2", 3},
                          {"*.example.org", "/", 4},
                          {"*.eu.example.org", "/", 5}});
  struct Case {
    const char* host;
    const char* path;
    std::size_t pool;
  };
  const Case cases[] = {
      {"other.net", "/", 0},
      {"other.net", "/api", 1},
      {"other.net", "/api/", 1},
      {"other.net", "/api/x", 1},
      {"other.net", "/apix", 0},
      {"other.net", "/ap", 0},
      {"example.org", "/", 2},
      {"example.org", "/api", 2},  // the host counts before the path
      {"example.org", "/api/v2", 3},
      {"example.org", "/api/v2/x", 3},
      {"example.org", "/api/v20", 2},
      {"EXAMPLE.org", "/x", 2},
      {"example.org:8080", "/x", 2},
      {"example.org.", "/x", 2},
      {"example.org.:80", "/x", 2},
      {"a.example.org", "/", 4},
      {"a.b.example.org", "/api", 4},
      {"A.EU.example.org:1", "/", 5},
      {"notexample.org", "/", 0},
      {".example.org", "/", 0},
      {"", "/", 0},
      {"[::1]:8080", "/api", 1},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(table.match(c.host, c.path), c.pool) << c.host << c.path;
  }
}

TEST(RouteTable, KnowsLiteralAddresses) {
  const RouteTable table({{"[::1]", "/", 0}, {"127.0.0.1", "/", 1}});
  EXPECT_EQ(table.match("[::1]:80", "/"), 0u);
  EXPECT_EQ(table.match("[::1]", "/"), 0u);
  EXPECT_EQ(table.match("127.0.0.1:80", "/"), 1u);
  EXPECT_EQ(table.match("[::2]", "/"), std::nullopt);
}

TEST(RouteTable, HasNoPoolForWhatNoRouteTakes) {
  EXPECT_EQ(RouteTable().match("a", "/"), std::nullopt);
  const RouteTable table({{"a", "/x", 0}});
  EXPECT_EQ(table.match("a", "/"), std::nullopt);
  EXPECT_EQ(table.match("b", "/x"), std::nullopt);
}

TEST(RouteTable, TakesASlashAtARoutesEndForNone) {
  const RouteTable table({{"*", "/api/", 7}});
  EXPECT_EQ(table.match("a", "/api"), 7u);
  EXPECT_EQ(table.match("a", "/api/x"), 7u);
  EXPECT_EQ(table.match("a", "/apix"), std::nullopt);
}

TEST(RouteTable, AsksForTheRootWhenTheWholeHostIsMeant) {
  const RouteTable table({{"*", "/", 1}, {"*", "/api", 2}});
  EXPECT_EQ(table.match("a", "*"), 1u);
  EXPECT_EQ(table.match("a", ""), 1u);
}

TEST(RouteTable, PrefersTheFirstOfEquals) {
  const RouteTable table({{"*", "/", 1}, {"*", "/", 2}});
  EXPECT_EQ(table.match("a", "/"), 1u);
}

}  // namespace
}  // namespace poolwarden::dispatch
