#include "common/storage/feed_filter.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace parcours::storage {
namespace {

using Strings = std::vector<std::string>;

Change ChangeOf(Strings before, Strings after,
                std::string name = "bodies/opale/things/a") {
  return {"thing", std::move(name),   1,
          "Test",  std::move(before), std::move(after)};
}

// "-" for nothing, "+" for seen, "removed".
std::string Seen(const FeedFilter& filter, const Change& change) {
  bool removed = false;
  if (!filter.Concerns(change, removed)) return "-";
  return removed ? "removed" : "+";
}

TEST(FeedFilterTest, WhoSeesTheInstallationSeesWhatIsAndWhatIsGone) {
  const FeedFilter filter({.scope = access::Scope::Installation()});
  EXPECT_EQ(Seen(filter, ChangeOf({}, {"bodies/opale"})), "+");
  EXPECT_EQ(Seen(filter, ChangeOf({"bodies/opale"}, {})), "removed");
  EXPECT_EQ(Seen(filter, ChangeOf({}, {})), "removed");
}

TEST(FeedFilterTest, WithinABodyItComesAndGoes) {
  const FeedFilter filter({.scope = access::Scope::Body("bodies/opale")});
  EXPECT_EQ(Seen(filter, ChangeOf({"bodies/jade"}, {"bodies/opale"})), "+");
  EXPECT_EQ(Seen(filter, ChangeOf({"bodies/opale"}, {"bodies/jade"})),
            "removed");
  EXPECT_EQ(Seen(filter, ChangeOf({}, {"bodies/opale-est"})), "-");
}

TEST(FeedFilterTest, WhatMovesFromOneOfTheNamesToAnotherIsNotRemoved) {
  const FeedFilter filter({.scope = access::Scope::Installation(),
                           .within = {"cohorts/x", "cohorts/y"}});
  EXPECT_EQ(Seen(filter, ChangeOf({"cohorts/x"}, {"cohorts/y"})), "+");
  EXPECT_EQ(Seen(filter, ChangeOf({"cohorts/y"}, {"cohorts/z"})), "removed");
  EXPECT_EQ(Seen(filter, ChangeOf({"cohorts/z"}, {"cohorts/zz"})), "-");
}

TEST(FeedFilterTest, AKeyOfAnOwnerIsAScope) {
  const FeedFilter filter(
      {.scope = access::Scope::Installation(), .within = {"funder:afdas"}});
  EXPECT_EQ(Seen(filter, ChangeOf({}, {"bodies/opale", "funder:afdas"})), "+");
  EXPECT_EQ(Seen(filter, ChangeOf({}, {"bodies/opale", "funder:afdas2"})), "-");
}

TEST(FeedFilterTest, AKeyOfAnOwnerReachesWhatTheyOwn) {
  const FeedQuery query{.scope = access::Scope::Installation(),
                        .within = {"funder:afdas", "bodies/opale/venues"}};
  EXPECT_TRUE(DependsOnOwners(query));
  EXPECT_EQ(KeysWithin(query), Strings{"funder:afdas"});
  const FeedFilter filter(query, {.by_within = {"bodies/opale/enrolments/e"}});
  const Strings body = {"bodies/opale"};
  EXPECT_EQ(
      Seen(filter, ChangeOf(body, body, "bodies/opale/enrolments/e/notes/n")),
      "+");
  EXPECT_EQ(
      Seen(filter, ChangeOf({}, {"bodies/opale", "bodies/opale/enrolments/e"})),
      "+");
  EXPECT_EQ(Seen(filter, ChangeOf(body, body, "bodies/opale/venues/v")), "+");
  EXPECT_EQ(Seen(filter, ChangeOf(body, body, "bodies/opale/enrolments/ee")),
            "-");
}

TEST(FeedFilterTest, AKindIsOneOfThoseAskedFor) {
  const FeedFilter filter(
      {.scope = access::Scope::Installation(), .kinds = {"room"}});
  EXPECT_EQ(Seen(filter, ChangeOf({}, {"bodies/opale"})), "-");
}

TEST(FeedFilterTest, WhatIsOwnedReachesDownAndIn) {
  const FeedFilter filter(
      {.scope = access::Scope::Own("bodies/opale", {"learner:x"})},
      {.by_scope = {"bodies/opale/enrolments/e"}});
  const Strings body = {"bodies/opale"};
  EXPECT_EQ(Seen(filter, ChangeOf(body, body, "bodies/opale/enrolments/e")),
            "+");
  EXPECT_EQ(
      Seen(filter, ChangeOf(body, body, "bodies/opale/enrolments/e/notes/n")),
      "+");
  EXPECT_EQ(Seen(filter, ChangeOf(body, body, "bodies/opale/enrolments/ee")),
            "-");
  EXPECT_EQ(Seen(filter, ChangeOf(body, body, "bodies/opale")), "-");
  EXPECT_EQ(Seen(filter, ChangeOf({}, {"bodies/opale",
                                       "bodies/opale/enrolments/e/notes/n"})),
            "+");
  EXPECT_EQ(Seen(filter,
                 ChangeOf({"bodies/opale", "bodies/opale/enrolments/e"}, body)),
            "removed");
  // Of another body, whoever owns it.
  EXPECT_EQ(Seen(filter, ChangeOf({}, {"bodies/jade", "learner:x"})), "-");
}

}  // namespace
}  // namespace parcours::storage
