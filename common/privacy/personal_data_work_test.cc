#include "common/privacy/personal_data_work.h"

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/storage/database.h"
#include "common/telemetry/log.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::privacy {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

access::Caller Nobody() {
  return access::Caller{.scope = access::Scope::Installation()};
}

class PersonalDataWorkTest : public ::testing::Test {
 protected:
  PersonalDataWorkTest() {
    telemetry::SetLogWriterForTest(
        [this](std::string_view line) { lines_.emplace_back(line); });
  }
  ~PersonalDataWorkTest() override { telemetry::SetLogWriterForTest(nullptr); }

  // Ends as `ends_` says at that time, and is noted in `ran_`.
  PersonalDataStep Step(const std::string& name, absl::StatusOr<StepEnd>& end) {
    return {.name = name, .run = [this, name, &end](const access::Caller&) {
              ran_.push_back(name);
              return end;
            }};
  }

  PersonalDataWork Work(std::vector<PersonalDataStep> steps) {
    return PersonalDataWork(std::move(steps), [this] { return now_; });
  }

  std::vector<std::string> Run(PersonalDataWork& work) {
    work.Run([this] {
      ++callers_;
      return Nobody();
    });
    return std::exchange(ran_, {});
  }

  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  int callers_ = 0;
  std::vector<std::string> ran_;
  std::vector<std::string> lines_;
  absl::StatusOr<StepEnd> first_ = StepEnd::kForNow;
  absl::StatusOr<StepEnd> second_ = StepEnd::kForNow;
};

TEST_F(PersonalDataWorkTest, EveryStepRunsInTurnAtEveryRound) {
  PersonalDataWork work = Work({Step("a", first_), Step("b", second_)});
  EXPECT_THAT(Run(work), ElementsAre("a", "b"));
  EXPECT_THAT(Run(work), ElementsAre("a", "b"));
  EXPECT_EQ(callers_, 4) << "one for each";
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(PersonalDataWorkTest, AFaultKeepsNoOtherStepBack) {
  PersonalDataWork work = Work({Step("a", first_), Step("b", second_)});
  first_ = absl::UnavailableError("enrolment is away");
  second_ = StepEnd::kForGood;
  EXPECT_THAT(Run(work), ElementsAre("a", "b"));
  ASSERT_THAT(lines_, SizeIs(1));
  EXPECT_THAT(lines_[0], AllOf(HasSubstr("\"level\":\"warning\""),
                               HasSubstr("\"work\":\"a\""),
                               HasSubstr("enrolment is away")));
}

TEST_F(PersonalDataWorkTest, WhatEndedForGoodIsNotRunAgain) {
  PersonalDataWork work = Work({Step("a", first_), Step("b", second_)});
  first_ = absl::UnavailableError("not yet");
  EXPECT_THAT(Run(work), ElementsAre("a", "b"));
  first_ = StepEnd::kForGood;
  EXPECT_THAT(Run(work), ElementsAre("a", "b"));
  EXPECT_THAT(Run(work), ElementsAre("b"));
  second_ = StepEnd::kForGood;
  Run(work);
  const int callers = callers_;
  EXPECT_THAT(Run(work), IsEmpty());
  EXPECT_EQ(callers_, callers);
}

TEST_F(PersonalDataWorkTest, AFaultIsSaidOnceAMinuteForEachStep) {
  PersonalDataWork work = Work({Step("a", first_), Step("b", second_)});
  first_ = absl::UnavailableError("first");
  Run(work);
  EXPECT_THAT(lines_, SizeIs(1));
  second_ = absl::UnavailableError("second");
  Run(work);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("first"), HasSubstr("second")));
  now_ += absl::Seconds(59);
  Run(work);
  EXPECT_THAT(lines_, SizeIs(2));
  now_ += absl::Seconds(1);
  Run(work);
  EXPECT_THAT(lines_, SizeIs(4));
  now_ += absl::Minutes(2);
  first_ = second_ = StepEnd::kForNow;
  Run(work);
  EXPECT_THAT(lines_, SizeIs(4)) << "nothing waits any more";
}

TEST_F(PersonalDataWorkTest, RoundsDoNotOverlap) {
  int running = 0;
  int rounds = 0;
  PersonalDataWork work =
      Work({{.name = "a", .run = [&](const access::Caller&) {
               EXPECT_EQ(++running, 1);
               std::this_thread::yield();
               --running;
               ++rounds;
               return absl::StatusOr<StepEnd>(StepEnd::kForNow);
             }}});
  const auto run = [&] {
    for (int i = 0; i < 100; ++i) work.Run(Nobody);
  };
  std::thread other(run);
  run();
  other.join();
  EXPECT_EQ(rounds, 200);
}

// The steps that every service has.
class CommonStepsTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  access::Caller Caller() {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.principal.subject = "system:test";
    caller.method = "PersonalData";
    caller.now = absl::FromUnixSeconds(1'800'000'000);
    caller.deadline = absl::Now() + absl::Seconds(60);
    return caller;
  }

  testing::TestDatabase files_{GetParam()};
  std::unique_ptr<storage::Database> database_ = files_.Open({});
};

INSTANTIATE_TEST_SUITE_P(Engines, CommonStepsTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

TEST_P(CommonStepsTest, OnlySealingIsEverOver) {
  const storage::PersonSecrets& secrets = *files_.options().person_secrets;
  const auto finished =
      FinishingErasures(*database_, files_.options().url, nullptr)
          .run(Caller());
  ASSERT_OK(finished);
  EXPECT_EQ(*finished, StepEnd::kForNow);
  const auto wrapped = WrappingAnew(*database_, secrets, nullptr).run(Caller());
  ASSERT_OK(wrapped);
  EXPECT_EQ(*wrapped, StepEnd::kForNow);
  const auto sealed =
      Sealing(storage::SealingOfBefore(*database_, {})).run(Caller());
  ASSERT_OK(sealed);
  EXPECT_EQ(*sealed, StepEnd::kForGood);
}

TEST_P(CommonStepsTest, WhatIsErasedIsSaidToBe) {
  constexpr char kPerson[] = "bodies/opale/persons/une";
  ASSERT_OK(database_->Transact(Caller(),
                                [&](storage::Transaction& transaction)
                                    -> absl::StatusOr<storage::Outcome> {
                                  transaction.person_keys().Erase(kPerson);
                                  return storage::Outcome{};
                                }));
  std::vector<std::string> told;
  database_->AddCommitListener([&](absl::Span<const storage::Change> changes) {
    for (const storage::Change& change : changes) told.push_back(change.name);
  });
  const PersonalDataStep step =
      FinishingErasures(*database_, files_.options().url, nullptr);
  ASSERT_OK(step.run(Caller()));
  ASSERT_OK(step.run(Caller()));
  EXPECT_THAT(told, ElementsAre("bodies/opale/erasures/une"));
}

}  // namespace
}  // namespace parcours::privacy
