#include "common/storage/feed_tail.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/storage/feed_filter.h"

namespace parcours::storage {
namespace {

constexpr int kPageSize = 1000;
// How long one reading may take, and how long Start waits for the head.
constexpr absl::Duration kReadTime = absl::Seconds(10);
constexpr absl::Duration kStartTime = absl::Seconds(5);

absl::StatusOr<int64_t> HeadNow(Database& database) {
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.principal.subject = "feed";
  caller.deadline = absl::Now() + kStartTime;
  int64_t head = 0;
  RETURN_IF_ERROR(
      database.View(caller, [&](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(head, FeedHead(transaction));
        return absl::OkStatus();
      }));
  return head;
}

}  // namespace

FeedTail::FeedTail(Database& database, Options options)
    : database_(database), options_(options) {}

FeedTail::~FeedTail() { Stop(); }

void FeedTail::AddListener(
    std::function<void(absl::Span<const PositionedChange>)> listener) {
  listeners_.push_back(std::move(listener));
}

void FeedTail::AddFollower(std::function<void(int64_t)> follower) {
  followers_.push_back(std::move(follower));
}

void FeedTail::AddLossListener(std::function<void()> listener) {
  loss_listeners_.push_back(std::move(listener));
}

void FeedTail::Start() {
  const absl::StatusOr<int64_t> head = HeadNow(database_);
  if (head.ok()) {
    at_ = *head;
    const std::lock_guard lock(mutex_);
    applied_ = *head;
    kept_after_ = *head;
  }
  thread_ = std::thread([this] { Run(); });
}

void FeedTail::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void FeedTail::Wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

int64_t FeedTail::applied() const {
  const std::lock_guard lock(mutex_);
  return applied_;
}

bool FeedTail::WaitForWake() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, absl::ToChronoMilliseconds(options_.poll_interval),
                    [this] { return woken_ || stopping_; });
  woken_ = false;
  return !stopping_;
}

void FeedTail::Run() {
  while (WaitForWake()) {
    while (Look()) {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
  }
}

bool FeedTail::Look() {
  FeedQuery query{.scope = access::Scope::Installation()};
  query.after = at_;
  query.limit = kPageSize;
  query.deadline = absl::Now() + kReadTime;
  absl::StatusOr<FeedPage> page = ReadChanges(database_, query);
  if (ReasonOf(page.status()) == Reason::kFeedTrimmed) {
    at_.reset();
    for (const auto& listener : loss_listeners_) listener();
    const std::lock_guard lock(mutex_);
    kept_.clear();
    return true;
  }
  if (!page.ok()) return false;
  const int64_t before = at_.value_or(-1);
  at_ = page->next_position;
  if (page->next_position > before) {
    Tell(std::move(page->changes), page->next_position);
  }
  return page->more;
}

void FeedTail::Tell(std::vector<PositionedChange> changes, int64_t applied) {
  for (const auto& listener : listeners_) listener(changes);
  {
    const std::lock_guard lock(mutex_);
    if (kept_.empty()) {
      // After a loss, memory begins anew.
      kept_after_ = changes.empty() ? applied : changes.front().position - 1;
    }
    for (PositionedChange& change : changes) {
      kept_.push_back(
          std::make_shared<const PositionedChange>(std::move(change)));
    }
    while (kept_.size() > options_.kept) {
      kept_after_ = kept_.front()->position;
      kept_.pop_front();
    }
    applied_ = applied;
  }
  for (const auto& follower : followers_) follower(applied);
}

std::optional<FeedPage> FeedTail::Recent(const FeedQuery& query) const {
  if (DependsOnOwners(query) || !query.after.has_value()) return std::nullopt;
  const int64_t after = *query.after;
  std::vector<Kept> later;
  FeedPage page;
  {
    const std::lock_guard lock(mutex_);
    if (after < kept_after_) return std::nullopt;
    page.head = applied_;
    const auto first =
        std::upper_bound(kept_.begin(), kept_.end(), after,
                         [](int64_t position, const Kept& change) {
                           return position < change->position;
                         });
    later.assign(first, kept_.end());
  }
  // It may know more than this process, having read the database.
  page.next_position = std::max(after, page.head);
  const FeedFilter filter(query);
  for (const Kept& change : later) {
    bool removed = false;
    if (!filter.Concerns(change->change, removed)) continue;
    if (page.changes.size() >= static_cast<std::size_t>(query.limit)) {
      page.more = true;
      page.next_position = page.changes.back().position;
      break;
    }
    page.changes.push_back(*change);
    page.changes.back().removed = removed;
  }
  return page;
}

}  // namespace parcours::storage
