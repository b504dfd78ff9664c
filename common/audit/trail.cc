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

Statement SelectEntries(const TrailQuery& query, int limit) {
  Statement statement{
      "SELECT position, previous_hash, hash, commitment, salt, business_time, "
      "record_time, subject, roles, body, method, action, resources, "
      "request_id, trace_id FROM audit_entry WHERE position > $1",
      {query.after}};
  const auto add = [&](std::string_view condition, storage::Value value) {
    statement.values.push_back(std::move(value));
    CatTo(statement.sql, " AND ", condition, "$", statement.values.size());
  };
  if (!query.resource.empty()) {
    // Also finds names that merely begin alike, and on SQLite those that differ
    // in case: what is read is looked at again.
    const std::string escaped = absl::StrReplaceAll(
        query.resource, {{"!", "!!"}, {"%", "!%"}, {"_", "!_"}});
    add("resources LIKE ", Cat("%\n", escaped, "%"));
    statement.sql += " ESCAPE '!'";
  }
  if (!query.subject.empty()) add("subject = ", query.subject);
  if (query.action.has_value()) {
    add("action = ", std::string(ActionName(*query.action)));
  }
  if (query.start_time.has_value()) {
    add("record_time >= ", absl::ToUnixMicros(*query.start_time));
  }
  if (query.end_time.has_value()) {
    add("record_time < ", absl::ToUnixMicros(*query.end_time));
  }
  statement.values.emplace_back(int64_t{limit} + 1);
  CatTo(statement.sql, " ORDER BY position LIMIT $", statement.values.size());
  return statement;
}

bool IsFiltered(const TrailQuery& query) {
  return !query.resource.empty() || !query.subject.empty() ||
         query.action.has_value() || query.start_time.has_value() ||
         query.end_time.has_value();
}

bool Concerns(const Entry& entry, const std::string& resource) {
  return std::any_of(
      entry.resources.begin(), entry.resources.end(), [&](const Resource& one) {
        return one.name == resource || one.name.starts_with(Cat(resource, "/"));
      });
}

}  // namespace

storage::Statement SelectChain(int64_t after, int limit) {
  TrailQuery query{.scope = access::Scope::Installation()};
  query.after = after;
  return SelectEntries(query, limit - 1);
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
            transaction.Query(SelectEntries(query, static_cast<int>(limit)));
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
              !Concerns(*entry.entry, query.resource)) {
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
