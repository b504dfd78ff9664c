#include "common/storage/postgresql_session.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/status/macros.h"
#include "common/storage/dialect.h"
#include "common/text/view.h"

namespace parcours::storage {
namespace {

// Types of the catalogue (pg_type.dat), which are fixed.
constexpr Oid kBool = 16;
constexpr Oid kBytea = 17;
constexpr Oid kInt8 = 20;
constexpr Oid kInt2 = 21;
constexpr Oid kInt4 = 23;
constexpr Oid kOid = 26;
constexpr Oid kNumeric = 1700;

constexpr absl::Duration kConnectTime = absl::Seconds(5);
constexpr absl::Duration kConnectTimeOfEach = absl::Seconds(2);

// Beyond this, statements are prepared without a name; SQL is written once, so
// that this is only a guard.
constexpr std::size_t kMaxPrepared = 1000;

constexpr char kSessionOptions[] =
    "-c timezone=UTC -c bytea_output=hex -c client_min_messages=warning "
    "-c default_transaction_isolation=read\\ committed "
    "-c idle_in_transaction_session_timeout=60000 "
    // A prepared plan outlives the size of the table it was made for: one that
    // looks through ten rows looks through a million until they are analysed.
    // Every statement has its index.
    "-c enable_seqscan=off -c jit=off "
    // Without it a query outlives the client that waited for it.
    "-c client_connection_check_interval=1000";

absl::StatusCode CodeOf(std::string_view state) {
  if (state == "23505") return absl::StatusCode::kAlreadyExists;
  if (state.starts_with("23")) {
    return absl::StatusCode::kFailedPrecondition;
  }
  if (state == "40001" || state == "40P01" || state == "55P03") {
    return absl::StatusCode::kAborted;
  }
  if (state == "57014") return absl::StatusCode::kDeadlineExceeded;
  // Values that do not fit the text; the connection is well.
  if (state == "08P01") return absl::StatusCode::kInternal;
  if (state.starts_with("08") || state.starts_with("53") ||
      state.starts_with("57P") || state == "25P03" || state == "25006") {
    return absl::StatusCode::kUnavailable;
  }
  return absl::StatusCode::kInternal;
}

// The server ends the connection with these, or has become a standby.
bool EndsSession(std::string_view state) {
  return (state.starts_with("08") && state != "08P01") ||
         state.starts_with("57P") || state == "25P03" || state == "25006";
}

int RemainingMs(absl::Time deadline) {
  const absl::Duration remaining = deadline - absl::Now();
  if (remaining <= absl::ZeroDuration()) return 0;
  // At most a minute at a time; without a deadline, nothing remains to be
  // added.
  return static_cast<int>(absl::ToInt64Milliseconds(
      std::min(remaining + absl::Milliseconds(1), absl::Minutes(1))));
}

absl::StatusOr<Value> ValueOf(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column) != 0) return Value(nullptr);
  const char* text = PQgetvalue(result, row, column);
  const auto size = static_cast<std::size_t>(PQgetlength(result, row, column));
  switch (PQftype(result, column)) {
    case kBool:
      return Value(int64_t{text[0] == 't' ? 1 : 0});
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid:
    case kNumeric: {
      int64_t integer = 0;
      if (!absl::SimpleAtoi(absl::string_view(text, size), &integer)) {
        return absl::InternalError(Cat("column ", PQfname(result, column),
                                       " is not a 64-bit integer"));
      }
      return Value(integer);
    }
    case kBytea: {
      std::size_t length = 0;
      unsigned char* bytes = PQunescapeBytea(
          reinterpret_cast<const unsigned char*>(text), &length);
      if (bytes == nullptr) return absl::InternalError("out of memory");
      Blob blob{std::string(reinterpret_cast<const char*>(bytes), length)};
      PQfreemem(bytes);
      return Value(std::move(blob));
    }
    default:
      return Value(std::string(text, size));
  }
}

absl::StatusOr<Result> ResultOf(const PGresult* handle) {
  Result result;
  const std::string_view tag = PQcmdStatus(const_cast<PGresult*>(handle));
  if (!tag.starts_with("SELECT")) {
    const char* count = PQcmdTuples(const_cast<PGresult*>(handle));
    if (*count != '\0' && !absl::SimpleAtoi(count, &result.affected)) {
      return absl::InternalError(Cat("count of ", tag));
    }
  }
  const int rows = PQntuples(handle);
  const int columns = PQnfields(handle);
  result.rows.reserve(static_cast<std::size_t>(rows));
  for (int i = 0; i < rows; ++i) {
    Values values;
    values.reserve(static_cast<std::size_t>(columns));
    for (int j = 0; j < columns; ++j) {
      ASSIGN_OR_RETURN(Value value, ValueOf(handle, i, j));
      values.push_back(std::move(value));
    }
    result.rows.emplace_back(std::move(values));
  }
  return result;
}

// The values in the form of libpq: text but for bytes.
struct Parameters {
  explicit Parameters(const Values& values) : integers(values.size()) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Value& value = values[i];
      const char* pointer = nullptr;
      int length = 0;
      int format = 0;
      if (const auto* integer = std::get_if<int64_t>(&value)) {
        integers[i] = Cat(*integer);
        pointer = integers[i].c_str();
      } else if (const auto* text = std::get_if<std::string>(&value)) {
        pointer = text->c_str();
      } else if (const auto* blob = std::get_if<Blob>(&value)) {
        pointer = blob->bytes.data();
        length = static_cast<int>(blob->bytes.size());
        format = 1;
      }
      pointers.push_back(pointer);
      lengths.push_back(length);
      formats.push_back(format);
    }
  }
  int count() const { return static_cast<int>(pointers.size()); }

  std::vector<std::string> integers;
  std::vector<const char*> pointers;
  std::vector<int> lengths;
  std::vector<int> formats;
};

// One of the servers that a URL names; what it does not say is empty.
struct Host {
  std::string host;
  std::string address;
  std::string port;
};

// `index` of a list with commas; its only element for every index.
std::string Element(const std::vector<std::string>& list, std::size_t index) {
  return list.size() == 1 ? list[0] : index < list.size() ? list[index] : "";
}

// The servers that `url` names, in its order. A URL that holds a password is
// refused.
absl::StatusOr<std::vector<Host>> HostsOf(const std::string& url) {
  char* error = nullptr;
  PQconninfoOption* options = PQconninfoParse(url.c_str(), &error);
  if (options == nullptr) {
    // The message may repeat the URL, and what stands in it.
    PQfreemem(error);
    return absl::InvalidArgumentError("the database URL cannot be read");
  }
  std::map<std::string, std::string> set;
  for (const PQconninfoOption* o = options; o->keyword != nullptr; ++o) {
    if (o->val != nullptr) set[o->keyword] = o->val;
  }
  PQconninfoFree(options);
  if (set.contains("password")) {
    return absl::InvalidArgumentError(
        "the database URL holds a password; put it in a file");
  }
  const std::vector<std::string> hosts = absl::StrSplit(set["host"], ',');
  const std::vector<std::string> addresses =
      absl::StrSplit(set["hostaddr"], ',');
  const std::vector<std::string> ports = absl::StrSplit(set["port"], ',');
  const std::size_t count = std::max(hosts.size(), addresses.size());
  if (ports.size() != 1 && ports.size() != count) {
    return absl::InvalidArgumentError(
        "the database URL names more or fewer ports than hosts");
  }
  std::vector<Host> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back({i < hosts.size() ? hosts[i] : "",
                   i < addresses.size() ? addresses[i] : "",
                   Element(ports, i)});
  }
  return all;
}

}  // namespace

void PostgresqlSession::ClearResult::operator()(pg_result* result) const {
  PQclear(result);
}

absl::StatusOr<std::unique_ptr<PostgresqlSession>> PostgresqlSession::Connect(
    const std::string& url, const std::string& password, absl::Time deadline) {
  ASSIGN_OR_RETURN(const std::vector<Host> hosts, HostsOf(url));
  // libpq would wait for the first that is silent until the end.
  const absl::Duration patience =
      hosts.size() == 1 ? kConnectTime : kConnectTimeOfEach;
  absl::Status failure;
  for (const Host& host : hosts) {
    // A later keyword overrides the URL: what it may set stands before it.
    std::vector<const char*> keywords = {
        "application_name",    "tcp_user_timeout", "keepalives_idle",
        "keepalives_interval", "connect_timeout",  "dbname",
        "client_encoding",     "options"};
    std::vector<const char*> values = {
        "parcours", "10000",     "10",   "5",
        "5",        url.c_str(), "UTF8", kSessionOptions};
    const auto set = [&](const char* keyword, const std::string& value) {
      keywords.push_back(keyword);
      values.push_back(value.c_str());
    };
    if (!password.empty()) set("password", password);
    if (hosts.size() > 1) {
      set("host", host.host);
      set("hostaddr", host.address);
      set("port", host.port);
    }
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    PGconn* connection = PQconnectStartParams(keywords.data(), values.data(),
                                              /*expand_dbname=*/1);
    if (connection == nullptr) return absl::UnavailableError("out of memory");
    std::unique_ptr<PostgresqlSession> session(
        new PostgresqlSession(connection));
    failure =
        session->FinishConnecting(std::min(deadline, absl::Now() + patience));
    if (failure.ok()) return session;
  }
  return failure;
}

absl::Status PostgresqlSession::FinishConnecting(absl::Time deadline) {
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (PQstatus(connection_) != CONNECTION_BAD && state != PGRES_POLLING_OK &&
         state != PGRES_POLLING_FAILED) {
    RETURN_IF_ERROR(
        Await(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline));
    state = PQconnectPoll(connection_);
  }
  if (PQstatus(connection_) != CONNECTION_OK) return Lost("cannot connect");
  PQsetNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);
  if (PQsetnonblocking(connection_, 1) != 0 ||
      PQenterPipelineMode(connection_) == 0) {
    return Lost("cannot enter pipeline mode");
  }
  return absl::OkStatus();
}

PostgresqlSession::~PostgresqlSession() { PQfinish(connection_); }

bool PostgresqlSession::usable() const {
  if (lost_ || PQstatus(connection_) != CONNECTION_OK) return false;
  if (rolling_back_) {
    if (PQconsumeInput(connection_) == 0) return false;
    while (rolling_back_ && !lost_ && PQisBusy(connection_) == 0) {
      TakeOfRollback(ResultHandle(PQgetResult(connection_)).get());
    }
    if (rolling_back_ || lost_) return !lost_;
  }
  if (in_transaction()) return true;
  // Nothing is awaited: what can be read is the end, or the word of it.
  pollfd descriptor{PQsocket(connection_), POLLIN, 0};
  return poll(&descriptor, 1, 0) == 0;
}

bool PostgresqlSession::in_transaction() const {
  return !rolling_back_ && PQtransactionStatus(connection_) != PQTRANS_IDLE;
}

void PostgresqlSession::Rollback() {
  if (lost_) return;
  if (PQsendQueryParams(connection_, "ROLLBACK", 0, nullptr, nullptr, nullptr,
                        nullptr, 0) == 0 ||
      PQpipelineSync(connection_) == 0 || PQflush(connection_) != 0) {
    // A server that does not even take this ends the transaction with the
    // connection.
    lost_ = true;
    return;
  }
  rolling_back_ = true;
}

void PostgresqlSession::TakeOfRollback(const pg_result* result) const {
  if (result == nullptr) {
    lost_ = PQstatus(connection_) != CONNECTION_OK;
    return;
  }
  const ExecStatusType state = PQresultStatus(result);
  if (state == PGRES_PIPELINE_SYNC) {
    rolling_back_ = false;
  } else if (state != PGRES_COMMAND_OK) {
    lost_ = true;
  }
}

absl::Status PostgresqlSession::Lost(std::string_view what) {
  lost_ = true;
  return absl::UnavailableError(
      Cat("PostgreSQL: ", what, ": ", PQerrorMessage(connection_)));
}

// NOLINTNEXTLINE(google-runtime-int): the type of poll(2).
absl::Status PostgresqlSession::Await(short events, absl::Time deadline) {
  for (;;) {
    pollfd descriptor{PQsocket(connection_), events, 0};
    const int timeout = RemainingMs(deadline);
    const int ready = poll(&descriptor, 1, timeout);
    if (ready > 0) return absl::OkStatus();
    // NOLINTNEXTLINE(concurrency-mt-unsafe)
    if (ready < 0 && errno != EINTR) return Lost(std::strerror(errno));
    if (ready == 0 && absl::Now() >= deadline) {
      lost_ = true;
      return absl::DeadlineExceededError("PostgreSQL did not answer in time");
    }
  }
}

absl::StatusOr<PostgresqlSession::ResultHandle> PostgresqlSession::NextResult(
    absl::Time deadline) {
  for (;;) {
    const int unsent = PQflush(connection_);
    if (unsent < 0) return Lost("cannot send");
    if (PQisBusy(connection_) == 0) {
      return ResultHandle(PQgetResult(connection_));
    }
    RETURN_IF_ERROR(Await(
        static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN), deadline));
    if (PQconsumeInput(connection_) == 0) return Lost("connection lost");
  }
}

absl::Status PostgresqlSession::ErrorOf(const pg_result* result,
                                        std::string_view sql) {
  const char* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string_view state = field == nullptr ? "" : field;
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (state.empty()) return Lost(PQresultErrorMessage(result));
  if (EndsSession(state)) lost_ = true;
  absl::StatusCode code = CodeOf(state);
  // After a change of schema by another session, what was prepared is stale.
  if (state == "26000" ||
      (state == "0A000" && std::string_view(primary).find("cached plan") !=
                               std::string_view::npos)) {
    prepared_.clear();
    code = absl::StatusCode::kAborted;
  }
  const char* constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
  return absl::Status(
      code,
      Cat("PostgreSQL ", state, ": ", primary, constraint == nullptr ? "" : " ",
          constraint == nullptr ? "" : constraint, ": ", sql));
}

absl::Status PostgresqlSession::FinishRollback(absl::Time deadline) {
  while (rolling_back_) {
    ASSIGN_OR_RETURN(const ResultHandle handle, NextResult(deadline));
    TakeOfRollback(handle.get());
    if (lost_) return Lost("the transaction before did not end");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Result>> PostgresqlSession::Run(
    absl::Span<const Statement> statements, absl::Time deadline) {
  if (lost_) return absl::UnavailableError("PostgreSQL session is lost");
  if (statements.empty()) return std::vector<Result>();
  for (std::size_t i = 0; i < statements.size(); ++i) {
    if (absl::Status status = CheckValues(statements[i].values); !status.ok()) {
      return WithFailedStatement(status, i);
    }
  }
  std::vector<Sent> sent;
  sent.reserve(statements.size() + 4);
  absl::Status refused;
  for (std::size_t i = 0; i < statements.size() && refused.ok(); ++i) {
    refused = Send(i, statements[i], sent);
    if (!refused.ok()) refused = WithFailedStatement(refused, i);
  }
  if (lost_) return refused;
  // What was sent before a refused statement must still be drained.
  if (PQpipelineSync(connection_) == 0) return Lost("cannot send");
  absl::StatusOr<std::vector<Result>> results =
      Receive(statements, sent, deadline + kGrace);
  if (!results.ok() || refused.ok()) return results;
  return refused;
}

absl::Status PostgresqlSession::Send(std::size_t index,
                                     const Statement& statement,
                                     std::vector<Sent>& sent) {
  std::string name;
  if (const auto found = prepared_.find(statement.sql);
      found != prepared_.end()) {
    name = found->second;
  } else {
    // The same text may stand twice in one batch.
    for (const Sent& earlier : sent) {
      if (earlier.prepares == statement.sql) name = earlier.name;
    }
    if (name.empty()) {
      ASSIGN_OR_RETURN(const std::string text,
                       InDialect(statement.sql, Engine::kPostgresql));
      if (prepared_.size() < kMaxPrepared) {
        name = Cat("s", ++next_name_);
      }
      if (PQsendPrepare(connection_, name.c_str(), text.c_str(), 0, nullptr) ==
          0) {
        return Lost("cannot send");
      }
      sent.push_back({index, statement.sql, name});
    }
  }
  const Parameters parameters(statement.values);
  if (PQsendQueryPrepared(connection_, name.c_str(), parameters.count(),
                          parameters.pointers.data(), parameters.lengths.data(),
                          parameters.formats.data(), /*resultFormat=*/0) == 0) {
    return Lost("cannot send");
  }
  sent.push_back({index, "", ""});
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Result>> PostgresqlSession::Receive(
    absl::Span<const Statement> statements, const std::vector<Sent>& sent,
    absl::Time deadline) {
  std::vector<Result> results;
  results.reserve(statements.size());
  RETURN_IF_ERROR(FinishRollback(deadline));
  absl::Status failure;
  for (const Sent& one : sent) {
    const std::string& sql = statements[one.statement].sql;
    for (;;) {
      ASSIGN_OR_RETURN(const ResultHandle handle, NextResult(deadline));
      if (handle == nullptr) {
        if (PQstatus(connection_) != CONNECTION_OK) {
          return failure.ok() ? Lost("connection lost") : failure;
        }
        break;
      }
      const ExecStatusType state = PQresultStatus(handle.get());
      if (state == PGRES_PIPELINE_ABORTED) continue;
      if (state == PGRES_COMMAND_OK || state == PGRES_TUPLES_OK) {
        if (!failure.ok()) continue;
        if (!one.prepares.empty()) {
          if (!one.name.empty()) prepared_.emplace(one.prepares, one.name);
          continue;
        }
        absl::StatusOr<Result> result = ResultOf(handle.get());
        // COMMIT of a failed transaction succeeds, and says what it did.
        if (result.ok() && sql == "COMMIT" &&
            std::string_view(PQcmdStatus(handle.get())) != "COMMIT") {
          result = absl::AbortedError("the transaction had failed");
        }
        if (result.ok()) {
          results.push_back(*std::move(result));
        } else {
          failure = WithFailedStatement(result.status(), one.statement);
        }
        continue;
      }
      if (!failure.ok()) continue;
      failure = ErrorOf(handle.get(), sql);
      const bool answered =
          PQresultErrorField(handle.get(), PG_DIAG_SQLSTATE) != nullptr;
      if (answered) failure = WithFailedStatement(failure, one.statement);
      if (lost_) return failure;
    }
  }
  ASSIGN_OR_RETURN(const ResultHandle end, NextResult(deadline));
  if (end == nullptr || PQresultStatus(end.get()) != PGRES_PIPELINE_SYNC) {
    return Lost("the pipeline did not end");
  }
  if (!failure.ok()) return failure;
  return results;
}

absl::Status PostgresqlSession::RunScript(std::string_view sql) {
  if (lost_) return absl::UnavailableError("PostgreSQL session is lost");
  ASSIGN_OR_RETURN(const std::string text, InDialect(sql, Engine::kPostgresql));
  RETURN_IF_ERROR(FinishRollback(absl::InfiniteFuture()));
  if (PQexitPipelineMode(connection_) == 0 ||
      PQsendQuery(connection_, text.c_str()) == 0) {
    return Lost("cannot send");
  }
  absl::Status failure;
  for (;;) {
    ASSIGN_OR_RETURN(const ResultHandle handle,
                     NextResult(absl::InfiniteFuture()));
    if (handle == nullptr) break;
    const ExecStatusType state = PQresultStatus(handle.get());
    if (state != PGRES_COMMAND_OK && state != PGRES_TUPLES_OK &&
        state != PGRES_EMPTY_QUERY && failure.ok()) {
      failure = ErrorOf(handle.get(), text.substr(0, 200));
    }
    if (lost_) return failure;
  }
  if (PQenterPipelineMode(connection_) == 0) return Lost("cannot resume");
  return failure;
}

}  // namespace parcours::storage
