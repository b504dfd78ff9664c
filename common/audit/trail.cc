#include "common/audit/trail.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_replace.h"
#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::audit {
namespace {

using ::parcours::storage::Row;
using ::parcours::storage::Rows;
using ::parcours::storage::Statement;
using ::parcours::storage::Transaction;

constexpr int kMaxLimit = 1000;
// Of the names on one page: a message of gRPC has at most 4 MiB.
constexpr std::size_t kMaxPageBytes = std::size_t{1} << 20;

constexpr char kColumns[] =
    "SELECT position, previous_hash, hash, commitment, salt, business_time, "
    "record_time, subject, roles, body, method, action, resources, "
    "request_id, trace_id FROM audit_entry ";
constexpr char kState[] =
    "SELECT position, indexed_position FROM audit_state WHERE id = 1";

bool IsFiltered(const TrailQuery& query) {
  return !query.resource.empty() || !query.subject.empty() ||
         query.action.has_value() || query.start_time.has_value() ||
         query.end_time.has_value();
}

// Adds a condition on `value` to a statement.
void Add(Statement& statement, std::string_view condition,
         storage::Value value) {
  statement.values.push_back(std::move(value));
  CatTo(statement.sql, " AND ", condition, "$", statement.values.size());
}

void EndWith(Statement& statement, int limit) {
  statement.values.emplace_back(int64_t{limit} + 1);
  CatTo(statement.sql, " ORDER BY position LIMIT $", statement.values.size());
}

// "bodies/opale": whose entries say so themselves.
bool IsBody(std::string_view resource) {
  return std::count(resource.begin(), resource.end(), '/') == 1;
}

// Entries after `after`, whatever they name.
Statement SelectEntries(const TrailQuery& query, int64_t after, int limit) {
  Statement statement{Cat(kColumns, "WHERE position > $1"), {after}};
  if (IsBody(query.resource)) {
    Add(statement, "body = ", query.resource);
  } else if (!query.resource.empty()) {
    // Also finds names that merely begin alike, and on SQLite those that differ
    // in case: what is read is looked at again.
    const std::string escaped = absl::StrReplaceAll(
        query.resource, {{"!", "!!"}, {"%", "!%"}, {"_", "!_"}});
    Add(statement, "resources LIKE ", Cat("%\n", escaped, "%"));
    statement.sql += " ESCAPE '!'";
  }
  if (IsFiltered(query) && !query.scope.body().empty()) {
    Add(statement, "body = ", query.scope.body());
  }
  if (!query.subject.empty()) Add(statement, "subject = ", query.subject);
  if (query.action.has_value()) {
    Add(statement, "action = ", std::string(ActionName(*query.action)));
  }
  if (query.start_time.has_value()) {
    Add(statement, "record_time >= ", absl::ToUnixMicros(*query.start_time));
  }
  if (query.end_time.has_value()) {
    Add(statement, "record_time < ", absl::ToUnixMicros(*query.end_time));
  }
  EndWith(statement, limit);
  return statement;
}

// The same by where the resource is named. Of both parts the first entries are
// taken by their index, so that the rest of the trail does not matter.
Statement SelectNamed(const TrailQuery& query, int limit) {
  const auto part = [](std::string_view condition) {
    return Cat(
        "SELECT position FROM (SELECT position FROM audit_resource "
        "WHERE ",
        condition, " AND position > $1 ORDER BY position LIMIT $2) AS ");
  };
  // The next character after / is 0.
  return {Cat(kColumns, "WHERE position IN (", part("resource = $3"),
              "itself UNION ", part("resource > $4 AND resource < $5"),
              "below) ORDER BY position LIMIT $2"),
          {query.after, int64_t{limit} + 1, query.resource,
           Cat(query.resource, "/"), Cat(query.resource, "0")}};
}

// What SelectNamed does not ask.
bool Meets(const TrailQuery& query, const Entry& entry) {
  return (query.subject.empty() || entry.subject == query.subject) &&
         (!query.action.has_value() || entry.action == *query.action) &&
         (!query.start_time.has_value() ||
          entry.record_time >= *query.start_time) &&
         (!query.end_time.has_value() || entry.record_time < *query.end_time);
}

bool Concerns(const Entry& entry, const std::string& resource) {
  return std::any_of(
      entry.resources.begin(), entry.resources.end(), [&](const Resource& one) {
        return one.name == resource || one.name.starts_with(Cat(resource, "/"));
      });
}

// The rows of one page and one more. Most of what names a resource stands in
// the index of resources; what was linked since is looked for in the trail.
absl::StatusOr<Rows> ReadRows(Transaction& transaction, const TrailQuery& query,
                              int limit) {
  if (query.resource.empty() || IsBody(query.resource)) {
    return transaction.Query(SelectEntries(query, query.after, limit));
  }
  ASSIGN_OR_RETURN(
      std::vector<storage::Result> results,
      transaction.QueryTogether({{kState, {}}, SelectNamed(query, limit)}));
  const Row& state = results[0].rows.at(0);
  const int64_t indexed = state.Integer(1);
  Rows rows = std::move(results[1].rows);
  const auto wanted = static_cast<std::size_t>(limit) + 1;
  if (rows.size() == wanted || indexed >= state.Integer(0)) return rows;
  ASSIGN_OR_RETURN(const Rows newer,
                   transaction.Query(SelectEntries(
                       query, std::max(query.after, indexed),
                       static_cast<int>(wanted - rows.size() - 1))));
  rows.insert(rows.end(), newer.begin(), newer.end());
  return rows;
}

}  // namespace

storage::Statement SelectChain(int64_t after, int limit) {
  TrailQuery query{.scope = access::Scope::Installation()};
  return SelectEntries(query, after, limit - 1);
}

ChainedEntry EntryOf(const Row& row) {
  return {.position = row.Integer(0),
          .previous_hash = row.Text(1),
          .hash = row.Text(2),
          .commitment = row.Text(3),
          .entry = Entry{.business_time = absl::FromUnixMicros(row.Integer(5)),
                         .record_time = absl::FromUnixMicros(row.Integer(6)),
                         .subject = row.Text(7),
                         .roles = row.Integer(8),
                         .body = row.Text(9),
                         .method = row.Text(10),
                         .action = row.Text(11) == ActionName(Action::kRead)
                                       ? Action::kRead
                                       : Action::kChange,
                         .resources = ResourcesOfLines(row.Text(12)),
                         .request_id = row.Text(13),
                         .trace_id = row.Text(14)},
          .salt = row.Text(4)};
}

access::Caller TrailCaller(absl::Time deadline) {
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.principal.subject = "audit";
  caller.deadline = deadline;
  return caller;
}

absl::StatusOr<TrailPage> ReadTrail(storage::Database& database,
                                    const TrailQuery& query) {
  const auto limit =
      static_cast<std::size_t>(std::clamp(query.limit, 1, kMaxLimit));
  const bool filtered = IsFiltered(query);
  TrailPage page;
  RETURN_IF_ERROR(
      database.View(TrailCaller(query.deadline), [&](Transaction& transaction) {
        page = {};
        absl::StatusOr<Rows> rows =
            ReadRows(transaction, query, static_cast<int>(limit));
        if (!rows.ok()) return rows.status();
        std::size_t bytes = 0;
        int64_t last = query.after;
        for (std::size_t i = 0; i < rows->size(); ++i) {
          if (i == limit || bytes > kMaxPageBytes) {
            page.next_after = last;
            break;
          }
          bytes += (*rows)[i].Text(12).size();
          ChainedEntry entry = EntryOf((*rows)[i]);
          last = entry.position;
          const bool visible = query.scope.Covers(entry.entry->body);
          if (filtered && !visible) continue;
          if (!query.resource.empty() &&
              (!Concerns(*entry.entry, query.resource) ||
               !Meets(query, *entry.entry))) {
            continue;
          }
          if (!visible) {
            entry.entry.reset();
            entry.salt.clear();
          }
          page.entries.push_back(std::move(entry));
        }
        return absl::OkStatus();
      }));
  return page;
}

absl::StatusOr<WitnessPage> ReadWitnesses(storage::Database& database,
                                          const std::string& service,
                                          int64_t after, int limit,
                                          absl::Time deadline) {
  const auto size = static_cast<std::size_t>(std::clamp(limit, 1, kMaxLimit));
  Statement statement{
      "SELECT insertion, service, incarnation, position, hash, observe_time "
      "FROM audit_witness WHERE insertion > $1",
      {after}};
  if (!service.empty()) {
    statement.values.emplace_back(service);
    statement.sql += " AND service = $2";
  }
  statement.values.emplace_back(static_cast<int64_t>(size) + 1);
  CatTo(statement.sql, " ORDER BY insertion LIMIT $", statement.values.size());
  WitnessPage page;
  RETURN_IF_ERROR(database.View(
      TrailCaller(deadline), [&](Transaction& transaction) -> absl::Status {
        page = {};
        ASSIGN_OR_RETURN(const Rows rows, transaction.Query(statement));
        for (std::size_t i = 0; i < std::min(size, rows.size()); ++i) {
          const Row& row = rows[i];
          page.heads.push_back({row.Text(1),
                                {row.Text(2), row.Integer(3), row.Text(4)},
                                absl::FromUnixMicros(row.Integer(5))});
        }
        if (rows.size() > size) page.next_after = rows[size - 1].Integer(0);
        return absl::OkStatus();
      }));
  return page;
}

}  // namespace parcours::audit
