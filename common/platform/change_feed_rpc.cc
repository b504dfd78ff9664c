#include "common/platform/change_feed_rpc.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/rpc/convert.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/storage/feed.h"
#include "common/text/view.h"

namespace parcours::platform {
namespace {

constexpr int kDefaultSize = 100;
constexpr int kMaxSize = 1000;
constexpr int kPieceSize = 100;
constexpr int kMaxFilterEntries = 50;
constexpr absl::Duration kDefaultHeartbeat = absl::Seconds(15);
constexpr absl::Duration kShortestHeartbeat = absl::Seconds(1);
constexpr absl::Duration kLongestHeartbeat = absl::Seconds(60);
// Of one reading of the database for a stream.
constexpr absl::Duration kReadTime = absl::Seconds(10);
// After a reading that failed because the database is not there.
constexpr absl::Duration kRetryDelay = absl::Seconds(1);

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool IsKind(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return IsLetter(c) || c == '_';
  });
}

bool IsSegment(std::string_view text) {
  static constexpr std::string_view kOthers = "0123456789-_.~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return IsLetter(c) || kOthers.find(c) != std::string_view::npos;
  });
}

// "bodies/opale", "bodies/opale/persons/…".
bool IsResourceName(std::string_view text) {
  const std::vector<std::string> segments = absl::StrSplit(AbslView(text), '/');
  return segments.size() >= 2 &&
         std::all_of(segments.begin(), segments.end(),
                     [](const std::string& one) { return IsSegment(one); });
}

// "funder:afdas", "learner:bodies/opale/persons/…".
bool IsOwnerKey(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) return false;
  const std::string_view owner = text.substr(colon + 1);
  return IsKind(text.substr(0, colon)) &&
         std::none_of(owner.begin(), owner.end(), [](char c) {
           return c == ' ' ||
                  absl::ascii_iscntrl(static_cast<unsigned char>(c));
         });
}

void CheckEntries(
    const google::protobuf::RepeatedPtrField<std::string>& entries,
    std::string_view field, bool (*is_good)(std::string_view),
    std::string_view expected, FieldViolations& violations) {
  if (entries.size() > kMaxFilterEntries) {
    violations.Add(
        field, Reason::kFieldMalformed,
        {{"expected", Cat("a list of at most ", kMaxFilterEntries)}});
    return;
  }
  for (int i = 0; i < entries.size(); ++i) {
    if (is_good(entries[i])) continue;
    violations.Add(Cat(field, "[", i, "]"), Reason::kFieldMalformed,
                   {{"expected", std::string(expected)}});
  }
}

// What a request asks for; everything that is wrong with it is added to
// `violations`. Its other errors are returned.
absl::StatusOr<storage::FeedQuery> QueryOf(const rpc::CallContext& call,
                                           const std::string& after_token,
                                           const v1::ChangeFilter& filter,
                                           const storage::Database& database,
                                           FieldViolations& violations) {
  storage::FeedQuery query{.scope = call.caller.scope};
  CheckEntries(filter.kinds(), "filter.kinds", IsKind,
               "the kind of a resource, as \"application\"", violations);
  CheckEntries(
      filter.within(), "filter.within",
      [](std::string_view text) {
        return IsResourceName(text) || IsOwnerKey(text);
      },
      "the name of a resource, or the key of an owner", violations);
  query.kinds.assign(filter.kinds().begin(), filter.kinds().end());
  query.within.assign(filter.within().begin(), filter.within().end());
  const absl::StatusOr<std::optional<int64_t>> after =
      storage::DecodeFeedToken(after_token, database.incarnation());
  if (after.ok()) {
    query.after = *after;
  } else if (ReasonOf(after.status()) == Reason::kFieldMalformed) {
    violations.AddError("after_token", after.status());
  } else if (violations.empty()) {
    return after.status();
  }
  return query;
}

v1::Change ToProto(const storage::PositionedChange& positioned) {
  v1::Change change;
  change.set_position(positioned.position);
  change.set_kind(positioned.change.kind);
  change.set_resource(positioned.change.name);
  change.set_version(positioned.change.version);
  change.set_cause(positioned.change.cause);
  *change.mutable_change_time() = rpc::TimestampOf(positioned.commit_time);
  change.set_removed(positioned.removed);
  return change;
}

bool IsForNow(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kDeadlineExceeded ||
         status.code() == absl::StatusCode::kResourceExhausted ||
         status.code() == absl::StatusCode::kAborted;
}

// What one stream sends.
class Watch final : public rpc::PieceSource<v1::WatchChangesResponse> {
 public:
  Watch(storage::Database& database, storage::FeedTail& tail,
        storage::FeedQuery query, absl::Duration heartbeat,
        std::shared_ptr<FeedWatchers> watchers, rpc::WakeStream wake)
      : database_(database),
        tail_(tail),
        query_(std::move(query)),
        heartbeat_(heartbeat),
        watchers_(std::move(watchers)),
        id_(watchers_->Add(std::move(wake))) {}
  ~Watch() override { watchers_->Remove(id_); }

  absl::StatusOr<std::optional<v1::WatchChangesResponse>> Next(
      absl::Time& look_again) override {
    const absl::Time now = absl::Now();
    absl::StatusOr<storage::FeedPage> page = NextPage();
    if (page.ok()) {
      query_.after = page->next_position;
      head_ = std::max(page->head, tail_.applied());
    } else if (!IsForNow(page.status())) {
      return page.status();
    }
    if ((page.ok() && !page->changes.empty()) ||
        (query_.after.has_value() && now >= silent_until_)) {
      silent_until_ = now + heartbeat_;
      return Piece(page.ok() ? page->changes : Changes());
    }
    if (!page.ok()) {
      look_again = now + kRetryDelay;
    } else {
      look_again = page->more ? now : silent_until_;
    }
    return std::nullopt;
  }

 private:
  using Changes = std::vector<storage::PositionedChange>;

  absl::StatusOr<storage::FeedPage> NextPage() {
    std::optional<storage::FeedPage> recent = tail_.Recent(query_);
    if (recent.has_value()) return *std::move(recent);
    if (query_.after.has_value() && tail_.applied() <= *query_.after) {
      // Level, and owners decide: there is nothing to ask for.
      storage::FeedPage level;
      level.next_position = *query_.after;
      level.head = *query_.after;
      return level;
    }
    query_.deadline = absl::Now() + kReadTime;
    return storage::ReadChanges(database_, query_);
  }

  v1::WatchChangesResponse Piece(const Changes& changes) const {
    v1::WatchChangesResponse piece;
    for (const storage::PositionedChange& change : changes) {
      *piece.add_changes() = ToProto(change);
    }
    piece.set_next_token(
        storage::EncodeFeedToken(database_.incarnation(), *query_.after));
    piece.set_head_position(head_);
    return piece;
  }

  storage::Database& database_;
  storage::FeedTail& tail_;
  storage::FeedQuery query_;
  const absl::Duration heartbeat_;
  // The first piece comes at once, so that the reader has a token to go on
  // from.
  absl::Time silent_until_ = absl::InfinitePast();
  int64_t head_ = 0;
  const std::shared_ptr<FeedWatchers> watchers_;
  const int64_t id_;
};

}  // namespace

FeedWatchers::FeedWatchers(telemetry::Metrics& metrics)
    : open_(metrics.MakeGauge("parcours_feed_open_streams",
                              "Streams of changes that are open.")) {}

int64_t FeedWatchers::Add(rpc::WakeStream wake) {
  open_.Increment();
  const std::lock_guard lock(mutex_);
  wakes_.emplace(++last_id_, std::move(wake));
  return last_id_;
}

void FeedWatchers::Remove(int64_t id) {
  open_.Decrement();
  const std::lock_guard lock(mutex_);
  wakes_.erase(id);
}

void FeedWatchers::WakeAll() {
  // A stream that ends meanwhile calls Remove from within.
  std::vector<rpc::WakeStream> wakes;
  {
    const std::lock_guard lock(mutex_);
    wakes.reserve(wakes_.size());
    for (const auto& [id, wake] : wakes_) wakes.push_back(wake);
  }
  for (const rpc::WakeStream& wake : wakes) wake();
}

ChangeFeedRpc::ChangeFeedRpc(rpc::Shell& shell, storage::Database& database,
                             storage::FeedTail& tail,
                             telemetry::Metrics& metrics)
    : ServiceOf(shell),
      database_(database),
      tail_(tail),
      watchers_(std::make_shared<FeedWatchers>(metrics)) {
  tail_.AddFollower([watchers = watchers_](int64_t) { watchers->WakeAll(); });
}

absl::StatusOr<v1::ListChangesResponse> ChangeFeedRpc::ListChanges(
    const rpc::CallContext& call, const v1::ListChangesRequest& request) {
  FieldViolations violations;
  ASSIGN_OR_RETURN(storage::FeedQuery query,
                   QueryOf(call, request.after_token(), request.filter(),
                           database_, violations));
  RETURN_IF_ERROR(violations.ToStatus());
  query.limit = request.page_size() == 0
                    ? kDefaultSize
                    : std::min(request.page_size(), kMaxSize);
  query.deadline = call.caller.deadline;
  ASSIGN_OR_RETURN(const storage::FeedPage page,
                   storage::ReadChanges(database_, query));
  v1::ListChangesResponse response;
  for (const storage::PositionedChange& change : page.changes) {
    *response.add_changes() = ToProto(change);
  }
  response.set_next_token(
      storage::EncodeFeedToken(database_.incarnation(), page.next_position));
  response.set_more(page.more);
  response.set_head_position(page.head);
  return response;
}

absl::StatusOr<std::unique_ptr<rpc::PieceSource<v1::WatchChangesResponse>>>
ChangeFeedRpc::WatchChanges(const rpc::CallContext& call,
                            const v1::WatchChangesRequest& request,
                            rpc::WakeStream wake) {
  FieldViolations violations;
  absl::Duration heartbeat = kDefaultHeartbeat;
  if (request.has_heartbeat_interval()) {
    heartbeat = absl::Seconds(request.heartbeat_interval().seconds()) +
                absl::Nanoseconds(request.heartbeat_interval().nanos());
    if (heartbeat < kShortestHeartbeat || heartbeat > kLongestHeartbeat) {
      violations.Add("heartbeat_interval", Reason::kFieldOutOfRange,
                     {{"minimum", "1 s"}, {"maximum", "60 s"}});
    }
  }
  ASSIGN_OR_RETURN(storage::FeedQuery query,
                   QueryOf(call, request.after_token(), request.filter(),
                           database_, violations));
  RETURN_IF_ERROR(violations.ToStatus());
  query.limit = kPieceSize;
  return std::make_unique<Watch>(database_, tail_, std::move(query), heartbeat,
                                 watchers_, std::move(wake));
}

}  // namespace parcours::platform
