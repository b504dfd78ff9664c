// Two readers and one writer in every order of their steps. A step ends where a
// reader asks or fills the shared cache or has read its row, and where a writer
// has committed or is about to leave its tombstone: there the others may come
// between. Each runs on a stack of its own, so that an order is played to the
// letter, on one thread.

#include <gtest/gtest.h>
#include <ucontext.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/cache/read_through.h"
#include "common/cache/scripted_shared_cache.h"

namespace parcours::cache {
namespace {

// What runs until it pauses or ends, and goes on when told.
class Actor {
 public:
  void Begin(std::function<void()> body) {
    body_ = std::move(body);
    ended_ = false;
    getcontext(&own_);
    own_.uc_stack.ss_sp = stack_.data();
    own_.uc_stack.ss_size = stack_.size();
    own_.uc_link = &caller_;
    makecontext(&own_, &Actor::Run, 0);
  }
  // One step; nothing for one that has ended.
  void Step() {
    if (ended_) return;
    running = this;
    swapcontext(&caller_, &own_);
    running = nullptr;
  }
  bool ended() const { return ended_; }

  // Ends the step of the actor that runs, if one does.
  static void Pause() {
    Actor* const self = running;
    if (self != nullptr) swapcontext(&self->own_, &self->caller_);
  }

 private:
  static void Run() {
    Actor* const self = running;
    self->body_();
    self->ended_ = true;
  }

  static inline Actor* running = nullptr;
  std::function<void()> body_;
  bool ended_ = true;
  std::vector<char> stack_ = std::vector<char>(256 * 1024);
  ucontext_t own_{};
  ucontext_t caller_{};
};

constexpr int64_t kBefore = 10;  // position when it begins
constexpr int64_t kChange = 11;  // position of the change
constexpr int kReaders = 2;
constexpr int kWriter = 2;
constexpr int kTail = 3;

struct Case {
  const char* name;
  // On which replica each reader is; the writer is on 0.
  std::array<size_t, kReaders> replica;
  // Whether the shared cache holds the value from before the change.
  bool planted;
  bool loses_tombstones;
  // Whether a look at memory and one at the shared cache are steps apart.
  bool fine;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

class ReadThroughOrdersTest : public ::testing::TestWithParam<Case> {
 protected:
  using Cache = ReadThrough<Record>;

  void Play(const std::vector<int>& order) {
    const Case& one = GetParam();
    ScriptedSharedCache shared([] { return absl::UnixEpoch(); });
    shared.loses_tombstones = one.loses_tombstones;
    if (one.planted) {
      shared.Plant("::record:s1:name", 1, "1|",
                   absl::UnixEpoch() + absl::Seconds(30), kBefore);
    }
    if (one.fine) shared.before_get = Actor::Pause;
    shared.before_put = Actor::Pause;
    shared.before_invalidate = Actor::Pause;
    CacheCounters counters;
    int64_t row = 1;
    std::array<int64_t, 3> applied = {kBefore, kBefore, kBefore};
    const auto make = [&](size_t replica) {
      ReadThroughOptions options;
      options.key_space.kind = "record";
      options.memory = {.values = 4, .guards = 4, .shards = 1};
      options.applied = [&applied, replica] { return applied[replica]; };
      // A reader that waited for another would hold the thread of both. In the
      // past, so that not even a timer is set.
      options.patience = -absl::Seconds(1);
      return std::make_unique<Cache>(
          options, &shared, EncodeRecord, DecodeRecord,
          [] { return absl::UnixEpoch(); }, &counters);
    };
    const std::array<std::unique_ptr<Cache>, 2> caches = {make(0), make(1)};
    bool committed = false;
    bool invalidated = false;
    bool told = false;

    const auto read = [&](Cache& cache, int64_t known, bool pauses) -> int64_t {
      const auto found = cache.Get("name",
                                   [&]() -> absl::StatusOr<Record> {
                                     if (pauses) Actor::Pause();
                                     const Record record{row, ""};
                                     if (pauses) Actor::Pause();
                                     return record;
                                   },
                                   {.known_position = known});
      return found.ok() ? (*found)->version : -1;
    };
    std::array<Actor, kReaders + 1>& actors = actors_;
    for (size_t i = 0; i < kReaders; ++i) {
      actors[i].Begin([&, i] {
        const size_t replica = one.replica[i];
        // The first reader has heard of the change as soon as anybody can.
        const bool knows = i == 0 && committed;
        const bool must = knows || told || (replica == 0 && invalidated);
        const int64_t version =
            read(*caches[replica], knows ? kChange : 0, true);
        if (version < (must ? 2 : 1) || version > 2) Wrong("a reader", order);
      });
    }
    actors[kWriter].Begin([&] {
      row = 2;
      committed = true;
      Actor::Pause();
      caches[0]->Invalidate("name", 2);
      invalidated = true;
    });
    for (const int step : order) {
      if (step != kTail) {
        actors[static_cast<size_t>(step)].Step();
        continue;
      }
      for (const size_t replica : {0U, 1U}) {
        caches[replica]->Apply("name", 2, kChange);
        applied[replica] = kChange;
      }
      told = true;
    }
    for (const Actor& actor : actors) {
      if (!actor.ended()) Wrong("an actor that has not ended", order);
    }

    // Nothing that came late is left anywhere.
    for (const auto& cache : caches) {
      for (const int64_t known : {int64_t{0}, kChange}) {
        if (read(*cache, known, false) != 2) Wrong("a later read", order);
      }
    }
    applied[2] = kChange;
    if (read(*make(2), 0, false) != 2) Wrong("a new replica", order);
    ++played_;
  }

  // Every order in which each has `left` steps to take.
  void PlayAll(std::array<int, 4>& left, std::vector<int>& order) {
    bool any = false;
    for (const int step : {0, 1, kWriter, kTail}) {
      int& steps = left[static_cast<size_t>(step)];
      if (steps == 0) continue;
      any = true;
      // A change is committed before it is in the feed.
      if (step == kTail && left[kWriter] == kWriterSteps) continue;
      --steps;
      order.push_back(step);
      PlayAll(left, order);
      order.pop_back();
      ++steps;
    }
    if (!any) Play(order);
  }

  void Wrong(const char* what, const std::vector<int>& order) {
    if (++wrong_ > 3) return;
    std::string text;
    for (const int step : order) text += "12WT"[step];
    ADD_FAILURE() << what << " in the order " << text;
  }

  static constexpr int kWriterSteps = 3;
  std::array<Actor, kReaders + 1> actors_;
  int played_ = 0;
  int wrong_ = 0;
};

TEST_P(ReadThroughOrdersTest, NoOrderLeavesOrAnswersWhatIsTooOld) {
  const int steps = GetParam().fine ? 5 : 4;
  std::array<int, 4> left = {steps, steps, kWriterSteps, 1};
  std::vector<int> order;
  PlayAll(left, order);
  EXPECT_EQ(wrong_, 0);
  // 14! / (5! 5! 4!) and 12! / (4! 4! 4!), times the three places of the tail
  // after the first of the writer's steps.
  EXPECT_EQ(played_, GetParam().fine ? 756'756 : 103'950);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ReadThroughOrdersTest,
    ::testing::Values(
        Case{"WithTheWriter", {0, 0}, false, false, false},
        Case{"Elsewhere", {1, 1}, false, true, false},
        Case{"OneHereOneThere", {0, 1}, false, false, false},
        Case{"OneThereOneHere", {1, 0}, false, true, false},
        Case{"WithTheWriterAndAnOldValue", {0, 0}, true, true, false},
        Case{"ElsewhereAndAnOldValue", {1, 1}, true, true, false},
        Case{"FineStepsAndAnOldValue", {0, 1}, true, true, true}),
    [](const ::testing::TestParamInfo<Case>& info) { return info.param.name; });

}  // namespace
}  // namespace parcours::cache
