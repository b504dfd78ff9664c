#include "clients/cli/generate_command.h"

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "absl/time/clock.h"
#include "clients/cli/migrate_command.h"
#include "common/audit/chain.h"
#include "common/audit/trail.h"
#include "common/crypto/keyring.h"
#include "common/platform/secrets.h"
#include "common/status/macros.h"
#include "common/storage/business_time.h"
#include "common/storage/database.h"
#include "common/storage/feed.h"
#include "common/storage/made_up_data.h"
#include "common/storage/person_keys.h"
#include "common/storage/sequencer.h"
#include "common/storage/sqlite_database.h"
#include "common/text/view.h"
#include "common/types/enum_names.h"
#include "services/enrolment/generation/generation.h"
#include "services/evaluation/generation/generation.h"
#include "services/scheduling/generation/generation.h"

namespace parcours::cli {
namespace {

constexpr int64_t kMostApplications = 10'000'000;
constexpr int64_t kMostBodies = 99'999;
// Rows that get their places in one transaction.
constexpr int kPlacesAtOnce = 5000;
constexpr absl::Duration kPlacesTime = absl::Minutes(10);
constexpr absl::Duration kAnalyzeTime = absl::Minutes(10);
// The business time at which a simulation begins that has none yet.
constexpr absl::CivilSecond kSimulationStart(2025, 9, 1, 6, 0, 0);

// The database of one service and its time.
struct Target {
  std::unique_ptr<storage::Database> database;
  std::unique_ptr<storage::DatabaseBusinessClock> clock;
};

// Text in place of the last, where a person looks on.
class Progress {
 public:
  Progress(std::ostream& out, int64_t total) : out_(out), total_(total) {}

  void Show(int64_t done) {
    const absl::Time now = absl::Now();
    if (done < total_ && now - last_ < absl::Seconds(1)) return;
    last_ = now;
    const double seconds = absl::ToDoubleSeconds(now - start_);
    out_ << absl::StrFormat("\r  %d / %d candidatures, %.0f s", done, total_,
                            seconds)
         << std::flush;
  }

 private:
  std::ostream& out_;
  const int64_t total_;
  const absl::Time start_ = absl::Now();
  absl::Time last_ = absl::InfinitePast();
};

absl::Status CheckNumbers(const GenerateOptions& options) {
  if (options.enrolment.url.empty()) {
    return absl::InvalidArgumentError(
        "--enrolment_database_url est nécessaire");
  }
  if (options.applications < 1 || options.applications > kMostApplications) {
    return absl::InvalidArgumentError(
        Cat("--applications: de 1 à ", kMostApplications));
  }
  if (options.bodies < 1 || options.bodies > kMostBodies) {
    return absl::InvalidArgumentError(Cat("--bodies: de 1 à ", kMostBodies));
  }
  return absl::OkStatus();
}

// What the service itself would seal with.
absl::StatusOr<std::shared_ptr<const storage::PersonSecrets>> SecretsOf(
    const FilledDatabase& filled) {
  std::string file = filled.secret_file;
  if (file.empty()) {
    if (!filled.url.starts_with("sqlite://")) {
      return absl::InvalidArgumentError(
          "sur PostgreSQL, le fichier de secrets du service est nécessaire");
    }
    file = Cat(storage::SqlitePath(filled.url), ".key");
  }
  ASSIGN_OR_RETURN(const platform::Secrets secrets,
                   platform::LoadSecrets(file));
  ASSIGN_OR_RETURN(crypto::Keyring master_keys,
                   crypto::Keyring::Load(file + ".master"));
  return std::make_shared<const storage::PersonSecrets>(
      storage::PersonSecrets{.master_keys = std::move(master_keys),
                             .blind_index_key = secrets.blind_index_key});
}

absl::StatusOr<Target> OpenTarget(const FilledDatabase& filled,
                                  const std::string& service,
                                  const std::string& password_file) {
  storage::DatabaseOptions how{.url = filled.url,
                               .password_file = password_file};
  Target target;
  RETURN_IF_ERROR(storage::CheckMarkedForMadeUpData(how));
  ASSIGN_OR_RETURN(const std::vector<storage::Migration> migrations,
                   MigrationsOf(service));
  ASSIGN_OR_RETURN(how.person_secrets, SecretsOf(filled));
  ASSIGN_OR_RETURN(target.database, storage::Database::Open(how, migrations));
  RETURN_IF_ERROR(storage::CheckTakesMadeUpData(*target.database,
                                                absl::Now() + kPlacesTime));
  ASSIGN_OR_RETURN(target.clock,
                   storage::OpenBusinessClock(
                       *target.database,
                       absl::FromCivil(kSimulationStart, absl::UTCTimeZone())));
  return target;
}

// The same, with the service in the text of what is wrong.
absl::StatusOr<Target> Open(const FilledDatabase& filled,
                            const std::string& service,
                            const std::string& password_file) {
  absl::StatusOr<Target> target = OpenTarget(filled, service, password_file);
  if (target.ok()) return target;
  return absl::Status(target.status().code(),
                      Cat(service, " : ", StdView(target.status().message())));
}

scheduling::MadeUpCourse ForScheduling(const enrolment::GeneratedCohort& made) {
  namespace s = scheduling;
  s::MadeUpCourse course;
  course.cohort = {.name = s::CohortName::FromRecord(made.name),
                   .display_name = made.display_name,
                   .time_zone = made.time_zone,
                   .programme = s::ProgrammeName::FromRecord(made.programme),
                   .module_ids = made.module_ids,
                   .programme_minutes = made.programme_minutes};
  course.start_date = made.start_date;
  course.begun = made.state == "UNDER_WAY" || made.state == "ENDED";
  for (const enrolment::GeneratedEnrolment& one : made.enrolments) {
    course.enrolments.push_back(
        {.name = s::EnrolmentName::FromRecord(one.name),
         .person = s::PersonName::FromRecord(one.person),
         .display_name = one.display_name,
         .payer_kind = one.payer_kind,
         .organisation = s::OrganisationName::FromRecord(one.organisation),
         .funder_id = one.funder_id,
         .state = FromName<s::EnrolmentState>(one.state).value_or(
             s::EnrolmentState::kEnrolled),
         .enrol_time = one.enrol_time,
         .end_date = one.end_date});
  }
  return course;
}

evaluation::MadeUpCourse ForEvaluation(const enrolment::GeneratedCohort& made) {
  namespace e = evaluation;
  e::MadeUpCourse course;
  course.cohort = e::CohortName::FromRecord(made.name);
  course.end_date = made.end_date;
  course.begun = made.state == "UNDER_WAY" || made.state == "ENDED";
  for (const enrolment::GeneratedEnrolment& one : made.enrolments) {
    course.enrolments.push_back(
        {.name = e::EnrolmentName::FromRecord(one.name),
         .person = e::PersonName::FromRecord(one.person),
         .display_name = one.display_name,
         .payer_kind = one.payer_kind,
         .organisation = e::OrganisationName::FromRecord(one.organisation),
         .funder_id = one.funder_id,
         .state = FromName<e::EnrolmentState>(one.state).value_or(
             e::EnrolmentState::kEnrolled)});
  }
  return course;
}

// Every change and every entry of the audit trail gets its place, as the
// service would give it; the head of the feed.
absl::StatusOr<int64_t> GivePlaces(storage::Database& database) {
  storage::Sequencer sequencer(
      database,
      {.batch = kPlacesAtOnce, .steps = {audit::ChainStep(kPlacesAtOnce)}});
  storage::Sequencer::Pass pass;
  do {
    ASSIGN_OR_RETURN(pass, sequencer.RunOnce());
  } while (pass.worked);
  ASSIGN_OR_RETURN(const storage::FeedBacklog feed,
                   storage::ReadBacklog(database, absl::Now() + kPlacesTime));
  if (feed.count == 0) return feed.head;
  return absl::FailedPreconditionError(
      "un service est ouvert sur cette base : l'arrêter d'abord");
}

// PostgreSQL plans by what it knows of its tables, and would find out by itself
// some minutes later.
absl::Status Analyze(storage::Database& database) {
  if (database.engine() != storage::Engine::kPostgresql) {
    return absl::OkStatus();
  }
  return database
      .Transact(audit::TrailCaller(absl::Now() + kAnalyzeTime),
                [](storage::Transaction& transaction)
                    -> absl::StatusOr<storage::Outcome> {
                  transaction.Write({"ANALYZE", {}});
                  return storage::Outcome{};
                })
      .status();
}

class Filling {
 public:
  Filling(const GenerateOptions& options, std::ostream& out)
      : options_(options), out_(out) {}

  absl::Status Run() {
    RETURN_IF_ERROR(CheckNumbers(options_));
    RETURN_IF_ERROR(OpenAll());
    RETURN_IF_ERROR(Fill());
    RETURN_IF_ERROR(PlaceAll());
    Summarise();
    return absl::OkStatus();
  }

 private:
  // All of them are looked at before one is written to.
  absl::Status OpenAll() {
    ASSIGN_OR_RETURN(Target target, Open(options_.enrolment, "enrolment",
                                         options_.password_file));
    now_ = target.clock->Now();
    targets_.push_back(std::move(target));
    if (!options_.scheduling.url.empty()) {
      ASSIGN_OR_RETURN(target, Open(options_.scheduling, "scheduling",
                                    options_.password_file));
      scheduling_.emplace(*target.database, options_.seed, now_);
      RETURN_IF_ERROR(scheduling_->Begin());
      targets_.push_back(std::move(target));
    }
    if (!options_.evaluation.url.empty()) {
      ASSIGN_OR_RETURN(target, Open(options_.evaluation, "evaluation",
                                    options_.password_file));
      evaluation_.emplace(*target.database, options_.seed, now_);
      RETURN_IF_ERROR(evaluation_->Begin());
      targets_.push_back(std::move(target));
    }
    // One business time for the whole installation.
    for (Target& other : targets_) {
      if (!other.clock->is_simulated()) continue;
      RETURN_IF_ERROR(other.clock->AdvanceTo(now_, absl::Now() + kPlacesTime));
    }
    return absl::OkStatus();
  }

  absl::Status Fill() {
    out_ << "Données inventées, graine " << options_.seed << " :\n";
    Progress progress(out_, options_.applications);
    enrolment::GenerationOptions how;
    how.applications = options_.applications;
    how.bodies = options_.bodies;
    how.seed = options_.seed;
    how.now = now_;
    how.progress = [&progress](int64_t done) { progress.Show(done); };
    how.on_cohort = [this](const enrolment::GeneratedCohort& made) {
      return Follow(made);
    };
    ASSIGN_OR_RETURN(summary_,
                     enrolment::Generate(*targets_.front().database, how));
    out_ << '\n';
    return absl::OkStatus();
  }

  // A course has a calendar and a plan once somebody takes part.
  absl::Status Follow(const enrolment::GeneratedCohort& made) {
    if (made.enrolments.empty()) return absl::OkStatus();
    if (scheduling_.has_value()) {
      RETURN_IF_ERROR(scheduling_->Add(ForScheduling(made)));
    }
    if (evaluation_.has_value()) {
      RETURN_IF_ERROR(evaluation_->Add(ForEvaluation(made)));
    }
    return absl::OkStatus();
  }

  absl::Status PlaceAll() {
    for (Target& target : targets_) {
      storage::Database& database = *target.database;
      if (&target == &targets_.front()) {
        out_ << "  enrolment : places dans le fil et dans la chaîne d'audit…"
             << std::endl;
        ASSIGN_OR_RETURN(const int64_t head, GivePlaces(database));
        // The rosters are what enrolment says up to here.
        const std::string token =
            storage::EncodeFeedToken(database.incarnation(), head);
        if (scheduling_.has_value()) {
          RETURN_IF_ERROR(scheduling_->Finish(token));
        }
        if (evaluation_.has_value()) {
          RETURN_IF_ERROR(evaluation_->Finish(token));
        }
      } else {
        RETURN_IF_ERROR(GivePlaces(database).status());
      }
      RETURN_IF_ERROR(Analyze(database));
    }
    return absl::OkStatus();
  }

  void Summarise() {
    out_ << "  enrolment : " << summary_.bodies << " organismes, "
         << summary_.cohorts << " promotions, " << summary_.persons
         << " personnes, " << summary_.applications << " candidatures, "
         << summary_.agreements << " conventions et contrats, "
         << summary_.enrolments << " inscriptions\n";
    if (scheduling_.has_value()) {
      const scheduling::GenerationSummary& made = scheduling_->summary();
      out_ << "  scheduling : " << made.half_days << " demi-journées, "
           << made.roster_entries << " inscrits, " << made.attendance_entries
           << " signatures\n";
    }
    if (evaluation_.has_value()) {
      const evaluation::GenerationSummary& made = evaluation_->summary();
      out_ << "  evaluation : " << made.roster_entries << " inscrits, "
           << made.notes << " notes\n";
    }
  }

  const GenerateOptions& options_;
  std::ostream& out_;
  absl::Time now_;
  // That of enrolment first.
  std::vector<Target> targets_;
  std::optional<scheduling::Generation> scheduling_;
  std::optional<evaluation::Generation> evaluation_;
  enrolment::GenerationSummary summary_;
};

}  // namespace

ExitCode GenerateCommand(const GenerateOptions& options, std::ostream& out,
                         std::ostream& errors) {
  const absl::Status status = Filling(options, out).Run();
  if (status.ok()) return kSuccess;
  errors << "Rien n'est à garder : " << StdView(status.message()) << '\n';
  return status.code() == absl::StatusCode::kInvalidArgument
             ? kUsage
             : ExitCodeOf(status);
}

}  // namespace parcours::cli
