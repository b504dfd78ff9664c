#include "clients/cli/database_commands.h"

#include <algorithm>
#include <cstdint>
#include <iomanip>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "clients/cli/migrate_command.h"
#include "common/audit/chain.h"
#include "common/audit/trail.h"
#include "common/audit/verifier.h"
#include "common/status/macros.h"
#include "common/storage/copy.h"
#include "common/storage/database.h"
#include "common/text/view.h"

namespace parcours::cli {
namespace {

constexpr int kEntriesAtATime = 500;
constexpr absl::Duration kReadTime = absl::Minutes(10);
constexpr std::size_t kShownOfDigest = 16;

absl::StatusOr<storage::Rows> Read(storage::Session& session,
                                   const storage::Statement& statement) {
  ASSIGN_OR_RETURN(
      std::vector<storage::Result> results,
      session.Run(absl::MakeConstSpan(&statement, 1), absl::Now() + kReadTime));
  return std::move(results[0].rows);
}

// Recomputes the audit trail of the copy; how many entries it has.
absl::Status VerifyTrail(storage::Session& session, int64_t& entries) {
  ASSIGN_OR_RETURN(const storage::Rows state,
                   Read(session, audit::SelectHead()));
  const audit::Head head = audit::HeadOf(state.at(0));
  audit::ChainVerifier verifier;
  for (int64_t after = 0;;) {
    ASSIGN_OR_RETURN(const storage::Rows rows,
                     Read(session, audit::SelectChain(after, kEntriesAtATime)));
    if (rows.empty()) break;
    for (const storage::Row& row : rows) {
      const audit::ChainedEntry entry = audit::EntryOf(row);
      after = entry.position;
      verifier.Add(entry);
    }
  }
  const audit::Verdict verdict = verifier.Finish(head, {});
  entries = verdict.entries;
  if (!verdict.fault.has_value()) return absl::OkStatus();
  return absl::DataLossError(
      Cat("la chaîne d'audit est rompue à l'entrée ", verdict.fault->position));
}

// Columns of text are aligned by characters, not by bytes.
void PrintTable(const std::vector<storage::CopiedTable>& tables,
                std::ostream& out) {
  std::size_t width = std::string_view("table").size();
  for (const auto& table : tables) width = std::max(width, table.name.size());
  const auto column = static_cast<int>(width);
  out << std::left << std::setw(column) << "table" << std::right
      << std::setw(12) << "lignes"
      << "  empreinte vérifiée\n";
  for (const auto& table : tables) {
    out << std::left << std::setw(column) << table.name << std::right
        << std::setw(12) << table.rows << "  "
        << table.digest.substr(0, kShownOfDigest) << '\n';
  }
}

}  // namespace

ExitCode CopyDatabaseCommand(const CopyDatabaseOptions& options,
                             std::ostream& out, std::ostream& errors) {
  const auto migrations = MigrationsOf(options.service);
  absl::Status status = migrations.status();
  int64_t entries = 0;
  if (status.ok()) {
    const auto copied = storage::CopyDatabase(
        {.url = options.from},
        {.url = options.to, .password_file = options.password_file},
        *migrations, [&entries](storage::Session& target) {
          return VerifyTrail(target, entries);
        });
    status = copied.status();
    if (copied.ok()) {
      PrintTable(copied->tables, out);
      out << "Chaîne d'audit recalculée : " << entries
          << " entrées, sans faute.\n"
             "La copie a son incarnation ("
          << copied->incarnation
          << ") : qui suit le fil des changements relit tout.\n"
             "À faire : démarrer le service avec --database_url="
          << options.to
          << ",\nles mêmes --secret_file, --master_key_file, "
             "--erasure_log_file, --upload_dir\net --upload_key_file, vider "
             "Redis, puis mettre le fichier SQLite de côté. Voir "
             "docs/operations.md.\n";
      return kSuccess;
    }
  }
  errors << "Rien n'a été copié : " << StdView(status.message()) << '\n';
  return status.code() == absl::StatusCode::kInvalidArgument
             ? kUsage
             : ExitCodeOf(status);
}

}  // namespace parcours::cli
