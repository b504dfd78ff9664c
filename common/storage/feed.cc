#include "common/storage/feed.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/storage/feed_filter.h"
#include "common/text/view.h"

namespace parcours::storage {
namespace {

constexpr int kMaxLimit = 1000;
constexpr char kHead[] = "SELECT head FROM feed_state WHERE id = 1";
constexpr char kState[] = "SELECT head, floor FROM feed_state WHERE id = 1";
// Of the oldest rows, how many there are and the last one from before $1.
constexpr char kOldest[] =
    "SELECT COUNT(*), COALESCE(MAX(CASE WHEN commit_time < $1 THEN position "
    "END), 0) FROM (SELECT position, commit_time FROM change_feed "
    "WHERE position > (SELECT floor FROM feed_state WHERE id = 1) "
    "ORDER BY position LIMIT $2) AS oldest";
constexpr int64_t kTrimmedAtOnce = 5000;

access::Caller SystemCaller(std::string_view subject, absl::Time deadline) {
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.principal.subject = std::string(subject);
  caller.deadline = deadline;
  return caller;
}

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

// A step of a page: the rows of so many positions are looked at in one
// transaction, and where owners decide no more than so many rows are taken.
constexpr int64_t kStepPositions = 5000;
constexpr int64_t kStepRows = 1000;

// Adds "$n, $m, …" for `names`.
std::string Listed(const std::vector<std::string>& names, Values& values) {
  std::string list;
  for (const std::string& name : names) {
    values.emplace_back(name);
    CatTo(list, list.empty() ? "$" : ", $", values.size());
  }
  return list;
}

// What lies within the body, now or before.
std::string InBody(const std::string& body, Values& values) {
  values.emplace_back(Cat("%\n", body, "\n%"));
  const std::size_t n = values.size();
  return Cat(" AND (scopes_before LIKE $", n, " OR scopes_after LIKE $", n,
             ")");
}

std::string WithinAny(const std::vector<std::string>& within, Values& values) {
  std::string any;
  for (const std::string& name : within) {
    values.emplace_back(name);
    // The resource and all below it: the next character after / is 0.
    values.emplace_back(Cat(name, "/"));
    values.emplace_back(Cat(name, "0"));
    values.emplace_back(Cat("%\n", name, "\n%"));
    values.emplace_back(Cat("%\n", name, "/%"));
    const std::size_t n = values.size();
    CatTo(any, any.empty() ? "" : " OR ", "name = $", n - 4, " OR (name > $",
          n - 3, " AND name < $", n - 2, ")");
    for (const char* scopes : {"scopes_before", "scopes_after"}) {
      CatTo(any, " OR ", scopes, " LIKE $", n - 1, " OR ", scopes, " LIKE $",
            n);
    }
  }
  return Cat(" AND (", any, ")");
}

// At most `limit` rows after `after` up to `until`, in order, among them all
// that concern the reader. Names hold no wildcard of LIKE but in the subjects
// of accounts, where one can but widen what is looked at: FeedFilter decides.
Statement SelectChanges(const FeedQuery& query, int64_t after, int64_t until,
                        int64_t limit) {
  Statement statement{
      "SELECT position, kind, name, version, cause, scopes_before, "
      "scopes_after, commit_time FROM change_feed "
      "WHERE position > $1 AND position <= $2",
      {after, until}};
  Values& values = statement.values;
  if (!query.kinds.empty()) {
    CatTo(statement.sql, " AND kind IN (", Listed(query.kinds, values), ")");
  }
  if (!query.scope.is_full()) {
    CatTo(statement.sql, InBody(query.scope.body(), values));
  }
  // What an owner reaches through what they own is known only to FeedFilter.
  if (!query.within.empty() && KeysWithin(query).empty()) {
    CatTo(statement.sql, WithinAny(query.within, values));
  }
  values.emplace_back(limit);
  CatTo(statement.sql, " ORDER BY position LIMIT $", values.size());
  return statement;
}

// What they own within the body, or anywhere without one.
Statement SelectOwned(const std::vector<std::string>& owner_keys,
                      const std::string& body) {
  Statement statement{"SELECT DISTINCT owned FROM ownership WHERE ", {}};
  const std::string keys = Listed(owner_keys, statement.values);
  CatTo(statement.sql,
        keys.empty() ? "1 = 0" : Cat("owner_key IN (", keys, ")"));
  if (keys.empty() || body.empty()) return statement;
  // The next character after / is 0.
  statement.values.emplace_back(Cat(body, "/"));
  statement.values.emplace_back(Cat(body, "0"));
  const std::size_t n = statement.values.size();
  CatTo(statement.sql, " AND owned > $", n - 1, " AND owned < $", n);
  return statement;
}

absl::flat_hash_set<std::string> NamesIn(const Rows& rows) {
  absl::flat_hash_set<std::string> names;
  for (const Row& row : rows) names.insert(row.Text(0));
  return names;
}

PositionedChange ChangeOf(const Row& row) {
  return {row.Integer(0),
          {row.Text(1), row.Text(2), row.Integer(3), row.Text(4),
           Lines(row.Text(5)), Lines(row.Text(6))},
          absl::FromUnixMicros(row.Integer(7))};
}

// Reads one page, step by step.
class PageReader {
 public:
  explicit PageReader(const FeedQuery& query)
      : query_(query),
        limit_(static_cast<std::size_t>(std::clamp(query.limit, 1, kMaxLimit))),
        at_(query.after.value_or(0)) {}

  absl::StatusOr<FeedPage> Read(Database& database) {
    const access::Caller caller = SystemCaller("feed", query_.deadline);
    if (!query_.after.has_value()) {
      RETURN_IF_ERROR(database.View(caller, [&](Transaction& transaction) {
        return Begin(transaction);
      }));
    }
    const int64_t begin = at_;
    do {
      FeedPage before = page_;
      const int64_t at = at_;
      RETURN_IF_ERROR(database.View(caller, [&](Transaction& transaction) {
        page_ = before;
        at_ = at;
        return Step(transaction);
      }));
    } while (!IsFull() && at_ < page_.head && at_ - begin < query_.scan);
    if (IsFull()) {
      page_.changes.pop_back();
      page_.more = true;
      page_.next_position = page_.changes.back().position;
    } else {
      page_.more = at_ < page_.head;
      page_.next_position = at_;
    }
    return std::move(page_);
  }

 private:
  // One more than the limit, which tells that there are more.
  bool IsFull() const { return page_.changes.size() > limit_; }

  absl::Status Begin(Transaction& transaction) {
    ASSIGN_OR_RETURN(const Rows rows, transaction.Query({kState, {}}));
    at_ = rows.at(0).Integer(1);
    return absl::OkStatus();
  }

  absl::Status Step(Transaction& transaction) {
    const bool asks_owners = DependsOnOwners(query_);
    const int64_t wanted =
        static_cast<int64_t>(limit_ + 1 - page_.changes.size());
    const int64_t rows = asks_owners ? std::max(wanted, kStepRows) : wanted;
    const int64_t until = at_ + kStepPositions;
    std::vector<Statement> statements = {
        {kState, {}}, SelectChanges(query_, at_, until, rows)};
    if (asks_owners) {
      const std::string& body = query_.scope.body();
      statements.push_back(SelectOwned(query_.scope.keys(), body));
      statements.push_back(SelectOwned(KeysWithin(query_), body));
    }
    ASSIGN_OR_RETURN(const std::vector<Result> results,
                     transaction.QueryTogether(std::move(statements)));
    const Row& state = results[0].rows.at(0);
    page_.head = state.Integer(0);
    if (at_ < state.Integer(1)) return MakeError(Reason::kFeedTrimmed);
    OwnedNames owned;
    if (asks_owners) {
      owned = {NamesIn(results[2].rows), NamesIn(results[3].rows)};
    }
    const FeedFilter filter(query_, std::move(owned));
    for (const Row& row : results[1].rows) {
      PositionedChange change = ChangeOf(row);
      at_ = change.position;
      if (!filter.Concerns(change.change, change.removed)) continue;
      page_.changes.push_back(std::move(change));
      if (IsFull()) return absl::OkStatus();
    }
    // Fewer rows than were asked for: the rest concerns others.
    if (static_cast<int64_t>(results[1].rows.size()) < rows) {
      at_ = std::max(at_, std::min(until, page_.head));
    }
    return absl::OkStatus();
  }

  const FeedQuery& query_;
  const std::size_t limit_;
  // All up to here was looked at.
  int64_t at_;
  FeedPage page_;
};

}  // namespace

absl::StatusOr<FeedPage> ReadChanges(Database& database,
                                     const FeedQuery& query) {
  return PageReader(query).Read(database);
}

absl::StatusOr<FeedBacklog> ReadBacklog(Database& database,
                                        absl::Time deadline) {
  FeedBacklog backlog;
  RETURN_IF_ERROR(database.View(
      SystemCaller("feed", deadline),
      [&](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(
            const Rows rows,
            transaction.Query({"SELECT COUNT(*), COALESCE(MIN(insertion), 0), "
                               "(SELECT head FROM feed_state WHERE id = 1) "
                               "FROM change_feed WHERE position IS NULL",
                               {}}));
        backlog = {rows.at(0).Integer(0), rows.at(0).Integer(1),
                   rows.at(0).Integer(2)};
        return absl::OkStatus();
      }));
  return backlog;
}

absl::StatusOr<int64_t> FeedHead(Transaction& transaction) {
  ASSIGN_OR_RETURN(const Rows rows, transaction.Query({kHead, {}}));
  return rows.at(0).Integer(0);
}

absl::Status TrimFeed(Database& database, absl::Time before,
                      absl::Time deadline) {
  // From the oldest on, so that what stays is not looked at, and others write
  // in between.
  int64_t looked_at = 0;
  int64_t last = 0;
  do {
    RETURN_IF_ERROR(
        database
            .Transact(
                SystemCaller("feed", deadline),
                [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
                  ASSIGN_OR_RETURN(
                      const Rows rows,
                      transaction.Query({kOldest,
                                         {absl::ToUnixMicros(before),
                                          int64_t{kTrimmedAtOnce}}}));
                  looked_at = rows.at(0).Integer(0);
                  last = rows.at(0).Integer(1);
                  if (last == 0) return Outcome{};
                  transaction.Write(
                      {"UPDATE feed_state SET floor = $1 WHERE floor < $1",
                       {last}});
                  transaction.Write(
                      {"DELETE FROM change_feed WHERE position <= $1", {last}});
                  return Outcome{};
                })
            .status());
  } while (looked_at == kTrimmedAtOnce && last > 0);
  return absl::OkStatus();
}

absl::Status ForgetRequests(Database& database, absl::Time before,
                            absl::Time deadline) {
  return database
      .Transact(
          SystemCaller("idempotency", deadline),
          [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
            transaction.Write({"DELETE FROM idempotency WHERE create_time < $1",
                               {absl::ToUnixMicros(before)}});
            return Outcome{};
          })
      .status();
}

std::string EncodeFeedToken(std::string_view incarnation, int64_t position) {
  return absl::WebSafeBase64Escape(Cat(incarnation, ":", position));
}

absl::StatusOr<std::optional<int64_t>> DecodeFeedToken(
    std::string_view token, std::string_view incarnation,
    std::string_view field) {
  if (token.empty()) return std::optional<int64_t>();
  std::string text;
  std::vector<std::string> parts;
  int64_t position = 0;
  if (absl::WebSafeBase64Unescape(AbslView(token), &text)) {
    parts = absl::StrSplit(text, ':');
  }
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[1], &position) ||
      position < 0) {
    return MakeFieldError(field, Reason::kFieldMalformed,
                          {{"expected", "a token of this feed"}});
  }
  if (parts[0] != incarnation) {
    return MakeError(Reason::kFeedIncarnationChanged);
  }
  return std::optional<int64_t>(position);
}

}  // namespace parcours::storage
