#include "common/storage/feed.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::storage {
namespace {

constexpr int kMaxLimit = 1000;
constexpr char kHead[] = "SELECT head FROM feed_state WHERE id = 1";

access::Caller SystemCaller(std::string_view subject, absl::Time deadline) {
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.principal.subject = std::string(subject);
  caller.deadline = deadline;
  return caller;
}

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

bool HoldsAny(const std::vector<std::string>& names,
              const std::vector<std::string>& wanted) {
  return std::any_of(
      wanted.begin(), wanted.end(), [&](const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
      });
}

// Of each group, a change must concern one name to concern the reader.
std::vector<std::vector<std::string>> ConcernsOf(const FeedQuery& query) {
  std::vector<std::vector<std::string>> groups;
  if (!query.scope.is_full()) groups.push_back({query.scope.body()});
  if (query.scope.is_own()) groups.push_back(query.scope.keys());
  if (!query.within.empty()) groups.push_back(query.within);
  return groups;
}

// Whether somebody with this query may see what lies within `scopes`.
bool Sees(const FeedQuery& query, const std::vector<std::string>& scopes) {
  if (scopes.empty()) return false;
  const std::vector<std::vector<std::string>> groups = ConcernsOf(query);
  return std::all_of(groups.begin(), groups.end(),
                     [&](const std::vector<std::string>& group) {
                       return HoldsAny(scopes, group);
                     });
}

// Rows in which what was or what is concerns the reader. Names hold no wildcard
// of LIKE but in the subjects of accounts, where one can but widen what
// is looked at: Sees decides.
Statement SelectChanges(const FeedQuery& query, int64_t after, int limit) {
  Statement statement{
      "SELECT position, kind, name, version, cause, scopes_before, "
      "scopes_after, commit_time FROM change_feed WHERE position > $1",
      {after}};
  for (const std::vector<std::string>& group : ConcernsOf(query)) {
    std::string any;
    for (const std::string& name : group) {
      statement.values.emplace_back(Cat("%\n", name, "\n%"));
      const std::size_t n = statement.values.size();
      CatTo(any, any.empty() ? "" : " OR ", "scopes_before LIKE $", n,
            " OR scopes_after LIKE $", n);
    }
    statement.sql += Cat(" AND (", any.empty() ? "1 = 0" : any, ")");
  }
  statement.values.emplace_back(int64_t{limit} + 1);
  statement.sql += Cat(" ORDER BY position LIMIT $", statement.values.size());
  return statement;
}

}  // namespace

absl::StatusOr<FeedPage> ReadChanges(Database& database,
                                     const FeedQuery& query) {
  const int limit = std::clamp(query.limit, 1, kMaxLimit);
  FeedPage page;
  RETURN_IF_ERROR(database.View(
      SystemCaller("feed", query.deadline),
      [&](Transaction& transaction) -> absl::Status {
        // Without a position, only the floor tells where to begin; position 0
        // reads the same rows.
        std::vector<Statement> statements = {
            {"SELECT head, floor FROM feed_state WHERE id = 1", {}},
            SelectChanges(query, query.after.value_or(0), limit)};
        ASSIGN_OR_RETURN(const std::vector<Result> results,
                         transaction.QueryTogether(std::move(statements)));
        const Row& state = results[0].rows.at(0);
        page.head = state.Integer(0);
        if (query.after && *query.after < state.Integer(1)) {
          return MakeError(Reason::kFeedTrimmed);
        }
        for (const Row& row : results[1].rows) {
          if (page.changes.size() == static_cast<std::size_t>(limit)) {
            page.more = true;
            break;
          }
          PositionedChange change{
              row.Integer(0),
              {row.Text(1), row.Text(2), row.Integer(3), row.Text(4),
               Lines(row.Text(5)), Lines(row.Text(6))},
              absl::FromUnixMicros(row.Integer(7))};
          change.removed = !Sees(query, change.change.scopes_after);
          page.changes.push_back(std::move(change));
        }
        page.next_position = page.more
                                 ? page.changes.back().position
                                 : std::max(page.head, query.after.value_or(0));
        return absl::OkStatus();
      }));
  return page;
}

absl::StatusOr<int64_t> FeedHead(Transaction& transaction) {
  ASSIGN_OR_RETURN(const Rows rows, transaction.Query({kHead, {}}));
  return rows.at(0).Integer(0);
}

absl::Status TrimFeed(Database& database, absl::Time before,
                      absl::Time deadline) {
  return database
      .Transact(
          SystemCaller("feed", deadline),
          [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
            ASSIGN_OR_RETURN(
                const Rows rows,
                transaction.Query(
                    {"SELECT COALESCE(MAX(position), 0) FROM change_feed "
                     "WHERE position IS NOT NULL AND commit_time < $1",
                     {absl::ToUnixMicros(before)}}));
            const int64_t last = rows.at(0).Integer(0);
            transaction.Write(
                {"UPDATE feed_state SET floor = $1 WHERE floor < $1", {last}});
            transaction.Write(
                {"DELETE FROM change_feed WHERE position <= $1", {last}});
            return Outcome{};
          })
      .status();
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
