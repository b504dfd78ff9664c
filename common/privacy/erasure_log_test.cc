#include "common/privacy/erasure_log.h"

#include <sys/stat.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gtest/gtest.h"

namespace parcours::privacy {
namespace {

using Persons = std::vector<std::string>;

const absl::Time kNow = absl::FromUnixSeconds(1'795'426'711);

std::string Person(int number) {
  return Cat("bodies/opale/persons/p-", number);
}

class ErasureLogTest : public ::testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.File("erasures"); }

  std::string Content() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  void Add(const std::string& text) {
    std::ofstream(path(), std::ios::app | std::ios::binary) << text;
  }

  testing::TempDir folder_;
  FileErasureLog log_{path()};
};

TEST_F(ErasureLogTest, HoldsNobodyBeforeTheFirst) {
  const auto persons = log_.Read();
  ASSERT_OK(persons);
  EXPECT_TRUE(persons->empty());
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(ErasureLogTest, ReturnsThePersonsInTheirOrderEachOnce) {
  ASSERT_OK(log_.Append(Person(2), kNow));
  ASSERT_OK(log_.Append(Person(1), kNow + absl::Seconds(1)));
  ASSERT_OK(log_.Append(Person(2), kNow + absl::Seconds(2)));
  const auto persons = FileErasureLog(path()).Read();
  ASSERT_OK(persons);
  EXPECT_EQ(*persons, (Persons{Person(2), Person(1)}));
}

TEST_F(ErasureLogTest, IsTextThatAPersonCanReadAndNobodyElseOpen) {
  ASSERT_OK(log_.Append(Person(1), kNow));
  EXPECT_EQ(Content(), "2026-11-23T09:38:31Z bodies/opale/persons/p-1\n");
  struct stat facts {};
  ASSERT_EQ(stat(path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST_F(ErasureLogTest, PassesATornLastLineOverAndTakesItAway) {
  ASSERT_OK(log_.Append(Person(1), kNow));
  // A whole line but for its end may name another person: p-2 of p-23.
  Add(Cat("2026-11-23T09:38:31Z ", Person(2)));
  auto persons = log_.Read();
  ASSERT_OK(persons);
  EXPECT_EQ(*persons, Persons{Person(1)});
  ASSERT_OK(log_.Append(Person(3), kNow));
  persons = log_.Read();
  ASSERT_OK(persons);
  EXPECT_EQ(*persons, (Persons{Person(1), Person(3)}));
}

TEST_F(ErasureLogTest, BeginsAnewWhereTheFirstLineWasTorn) {
  Add("2026-11-");
  EXPECT_TRUE(log_.Read()->empty());
  ASSERT_OK(log_.Append(Person(1), kNow));
  EXPECT_EQ(*log_.Read(), Persons{Person(1)});
}

TEST_F(ErasureLogTest, RefusesAnyOtherLineThatIsNone) {
  const std::string good = Cat("2026-11-23T09:38:31Z ", Person(1), "\n");
  for (const std::string bad :
       {"\n", "nonsense\n", "2026-11-23T09:38:31Z\n",
        "2026-11-23T09:38:31Z bodies/opale\n",
        "yesterday bodies/opale/persons/p-1\n",
        "2026-11-23T09:38:31Z bodies/opale/persons/p-1 \n"}) {
    std::filesystem::remove(path());
    Add(good + bad + good);
    const auto persons = log_.Read();
    EXPECT_THAT(persons, StatusIs(absl::StatusCode::kFailedPrecondition))
        << bad;
    EXPECT_NE(std::string(persons.status().message()).find("line 2"),
              std::string::npos)
        << persons.status();
  }
}

TEST_F(ErasureLogTest, TakesFromManyAtOnce) {
  constexpr int kWriters = 4;
  constexpr int kEach = 5;
  FileErasureLog other(path());
  std::vector<std::thread> threads;
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([&, i] {
      // Two objects stand for two processes.
      FileErasureLog& log = i % 2 == 0 ? log_ : other;
      for (int n = 0; n < kEach; ++n) {
        EXPECT_OK(log.Append(Person(i * kEach + n), kNow));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto persons = log_.Read();
  ASSERT_OK(persons);
  EXPECT_EQ(persons->size(), std::size_t{kWriters * kEach});
}

TEST_F(ErasureLogTest, IsUnavailableWhereItCannotBeKept) {
  FileErasureLog nowhere(folder_.File("missing/erasures"));
  EXPECT_THAT(nowhere.Append(Person(1), kNow),
              StatusIs(absl::StatusCode::kUnavailable));
  ASSERT_TRUE(std::filesystem::create_directory(path()));
  EXPECT_THAT(log_.Append(Person(1), kNow),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(log_.Read().ok());
}

}  // namespace
}  // namespace parcours::privacy
