#include "services/enrolment/store/sql_enrolment_store.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/access/own_key.h"
#include "common/documents/upload_repository.h"
#include "common/privacy/erasure.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/storage/feed.h"
#include "common/storage/recording_repository.h"
#include "common/text/view.h"
#include "common/time/clock.h"
#include "services/enrolment/domain/place.h"
#include "services/enrolment/store/candidate_digest.h"
#include "services/enrolment/store/cohort_places.h"
#include "services/enrolment/store/migrations.h"
#include "services/enrolment/store/tables.h"

namespace parcours::enrolment {
namespace {

using access::OwnKey;
using storage::RecordingRepository;
using storage::Result;
using storage::Row;
using storage::Rows;
using storage::Statement;
using storage::Transaction;
using storage::Value;
using storage::Values;

// In whose scope a resource lies, for the change feed.
template <typename Resource>
std::vector<std::string> ScopesOfBody(const Resource& resource) {
  return {resource.name.body()};
}

std::vector<std::string> ScopesOfCohort(const Cohort& cohort) {
  return {cohort.name.body(), cohort.name.text()};
}

void AddUnlessEmpty(std::vector<std::string>& scopes,
                    const std::string& scope) {
  if (!scope.empty()) scopes.push_back(scope);
}

std::vector<std::string> ScopesOfApplication(const Application& application) {
  std::vector<std::string> scopes{application.name.body(),
                                  application.cohort.text(),
                                  application.person.text()};
  AddUnlessEmpty(scopes, application.payer.organisation.text());
  return scopes;
}

std::vector<std::string> ScopesOfAgreement(const Agreement& agreement) {
  std::vector<std::string> scopes{agreement.name.body(),
                                  agreement.cohort.text(),
                                  agreement.application.text()};
  AddUnlessEmpty(scopes, agreement.organisation.text());
  return scopes;
}

std::vector<std::string> ScopesOfEnrolment(const Enrolment& enrolment) {
  std::vector<std::string> scopes{
      enrolment.name.body(), enrolment.cohort.text(), enrolment.person.text()};
  AddUnlessEmpty(scopes, enrolment.organisation.text());
  return scopes;
}

std::vector<std::string> ScopesOfErasure(const Erasure& erasure) {
  return {erasure.name.body(), erasure.person.text()};
}

std::vector<access::Ownership> OwnersOfPerson(const Person& person) {
  return {{person.name.text(), OwnKey("learner", person.name.text())}};
}

std::vector<access::Ownership> OwnersOfOrganisation(
    const Organisation& organisation) {
  return {{organisation.name.text(),
           OwnKey("employer_contact", organisation.name.text())}};
}

// Whoever sent it, and the person it is about.
std::vector<access::Ownership> OwnersOfApplication(
    const Application& application) {
  std::vector<access::Ownership> owners{
      {application.name.text(), OwnKey("learner", application.person.text())}};
  if (!application.account.empty()) {
    owners.push_back(
        {application.name.text(), access::AccountKey(application.account)});
  }
  return owners;
}

// The learner owns it through the application.
std::vector<access::Ownership> OwnersOfAgreement(const Agreement& agreement) {
  if (agreement.organisation.empty()) return {};
  return {{agreement.name.text(),
           OwnKey("employer_contact", agreement.organisation.text())}};
}

std::vector<access::Ownership> OwnersOfEnrolment(const Enrolment& enrolment) {
  const std::string& name = enrolment.name.text();
  std::vector<access::Ownership> owners{
      {name, OwnKey("learner", enrolment.person.text())}};
  if (!enrolment.organisation.empty()) {
    owners.push_back(
        {name, OwnKey("employer_contact", enrolment.organisation.text())});
  }
  if (!enrolment.funder_id.empty()) {
    owners.push_back({name, OwnKey("funder", enrolment.funder_id)});
  }
  return owners;
}

// `kept` is the digest of the key; rows of before the digests have the key.
Statement FindApplicationStatement(const CohortName& cohort,
                                   const std::string& candidate_key,
                                   const std::string& kept) {
  // Not IN: PostgreSQL, planning while the table is small, would look through
  // the whole cohort for either, and keep the plan while the table grows.
  return {.sql =
              "SELECT name FROM application WHERE cohort = $1"
              " AND candidate_key = $2 AND review_state <> 'WITHDRAWN'"
              " UNION ALL SELECT name FROM application WHERE cohort = $1"
              " AND candidate_key = $3 AND review_state <> 'WITHDRAWN'",
          .values = {cohort.text(), candidate_key, kept}};
}

std::optional<ApplicationName> ApplicationFrom(const Rows& rows) {
  if (rows.empty()) return std::nullopt;
  return ApplicationName::FromRecord(rows.front().Text(0));
}

absl::StatusOr<FinishedUpload> Finished(
    const absl::StatusOr<documents::Upload>& upload) {
  if (!upload.ok()) return upload.status();
  return FinishedUpload{.name = upload->name, .sha256 = upload->sha256};
}

// The first column of the only row.
absl::StatusOr<int64_t> QueryCount(Transaction& transaction,
                                   Statement statement) {
  ASSIGN_OR_RETURN(const Rows rows, transaction.Query(std::move(statement)));
  return rows.front().Integer(0);
}

// Applications without a rank come last.
constexpr std::string_view kRankOrder =
    "(CASE WHEN rank = 0 THEN 9223372036854775807 ELSE rank END)";

// The keyset of an order by rank: a rank of fixed width, then the name.
std::string RankKey(const Application& application) {
  const int64_t rank = application.rank == 0
                           ? std::numeric_limits<int64_t>::max()
                           : application.rank;
  return absl::StrFormat("%019d%s", rank, application.name.text());
}
constexpr std::size_t kRankWidth = 19;

// The applications, with a digest in place of the key of the candidate, which
// says who they are; with them, the places of their cohort are counted.
class ApplicationRepository final : public Repository<Application> {
 public:
  // Both outlive this.
  ApplicationRepository(Transaction& transaction,
                        RecordingRepository<Application>& kept)
      : transaction_(transaction), kept_(kept) {}

  absl::StatusOr<Application> Get(const access::Scope& scope,
                                  const ApplicationName& name) override {
    return kept_.Get(scope, name);
  }
  absl::StatusOr<std::optional<Application>> Find(
      const access::Scope& scope, const ApplicationName& name) override {
    return kept_.Find(scope, name);
  }
  absl::StatusOr<Application> Lock(const access::Scope& scope,
                                   const ApplicationName& name) override {
    return kept_.Lock(scope, name);
  }
  void Insert(Application& application) override {
    if (!KeepDigest(application)) return;
    transaction_.Write(CountInserted(application));
    kept_.Insert(application);
  }
  void Update(Application& application) override {
    if (!KeepDigest(application)) return;
    transaction_.Write(CountMoved(application));
    kept_.Update(application);
  }
  absl::StatusOr<Page<Application>> List(const access::Scope& scope,
                                         const std::string& parent,
                                         const PageRequest& page) override {
    return kept_.List(scope, parent, page);
  }

 private:
  bool KeepDigest(Application& application) {
    const absl::Status status =
        KeepCandidateDigest(transaction_.person_keys(), application);
    if (!status.ok()) transaction_.Fail(status);
    return status.ok();
  }

  Transaction& transaction_;
  RecordingRepository<Application>& kept_;
};

class SqlEnrolmentUnit final : public EnrolmentUnit {
 public:
  explicit SqlEnrolmentUnit(Transaction& transaction)
      : transaction_(transaction),
        bodies_(transaction, BodyTable(), "body", ScopesOfBody<Body>),
        programmes_(transaction, ProgrammeTable(), "programme",
                    ScopesOfBody<Programme>),
        cohorts_(transaction, CohortTable(), "cohort", ScopesOfCohort),
        persons_(transaction, PersonTable(), "person", ScopesOfBody<Person>,
                 OwnersOfPerson),
        organisations_(transaction, OrganisationTable(), "organisation",
                       ScopesOfBody<Organisation>, OwnersOfOrganisation),
        applications_(transaction, ApplicationTable(), "application",
                      ScopesOfApplication, OwnersOfApplication),
        written_applications_(transaction, applications_),
        agreements_(transaction, AgreementTable(), "agreement",
                    ScopesOfAgreement, OwnersOfAgreement),
        enrolments_(transaction, EnrolmentTable(), "enrolment",
                    ScopesOfEnrolment, OwnersOfEnrolment),
        api_clients_(transaction, ApiClientTable(), "api_client",
                     ScopesOfBody<ApiClient>),
        erasures_(transaction, ErasureTable(),
                  std::string(privacy::kErasureKind), ScopesOfErasure) {}

  Repository<Body>& bodies() override { return bodies_; }
  Repository<Programme>& programmes() override { return programmes_; }
  Repository<Cohort>& cohorts() override { return cohorts_; }
  Repository<Person>& persons() override { return persons_; }
  Repository<Organisation>& organisations() override { return organisations_; }
  Repository<Application>& applications() override {
    return written_applications_;
  }
  Repository<Agreement>& agreements() override { return agreements_; }
  Repository<Enrolment>& enrolments() override { return enrolments_; }
  Repository<ApiClient>& api_clients() override { return api_clients_; }
  Repository<Erasure>& erasures() override { return erasures_; }

  absl::StatusOr<LockedPlaces> LockPlaces(const access::Scope& scope,
                                          const CohortName& cohort) override {
    ASSIGN_OR_RETURN(const std::vector<Result> results,
                     transaction_.QueryTogether(LockPlacesStatements(
                         scope, cohort, /*to_be_written=*/true)));
    return PlacesFrom(scope, cohort, results);
  }

  absl::StatusOr<LockedSubmission> LockSubmission(
      const access::Scope& scope, const CohortName& cohort,
      const SubmissionReferences& references) override {
    ASSIGN_OR_RETURN(const std::string kept,
                     CandidateDigest(transaction_.person_keys(), cohort,
                                     references.candidate_key));
    std::vector<Statement> statements =
        LockPlacesStatements(scope, cohort, /*to_be_written=*/false);
    const std::size_t known = statements.size();
    // After the lock: what others committed while it was awaited is seen.
    statements.push_back(
        FindApplicationStatement(cohort, references.candidate_key, kept));
    const std::size_t first_upload = statements.size();
    for (const auto& [upload, field] : references.uploads) {
      statements.push_back(documents::LockUpload(transaction_, scope, upload));
    }
    if (!references.organisation.empty()) {
      Values values{references.organisation.text()};
      const std::string where = Cat(
          "name = $1", storage::ScopePredicate(
                           scope.Whole(), OrganisationTable().reach(), values));
      statements.push_back(
          OrganisationTable().SelectWhere(where, std::move(values)));
    }
    ASSIGN_OR_RETURN(const std::vector<Result> results,
                     transaction_.QueryTogether(std::move(statements)));

    LockedSubmission locked;
    ASSIGN_OR_RETURN(locked.places, PlacesFrom(scope, cohort, results));
    // Whose the files become is added by this transaction: no look for a key.
    if (!references.uploads.empty()) {
      RETURN_IF_ERROR(
          transaction_.person_keys().OfNew(references.person.text()).status());
    }
    locked.known = ApplicationFrom(results[known].rows);
    absl::flat_hash_set<std::string> named;
    for (std::size_t i = 0; i < references.uploads.size(); ++i) {
      const auto& [upload, field] = references.uploads[i];
      if (!named.insert(upload.text()).second) {
        locked.uploads.emplace_back(
            MakeFieldError(field, Reason::kUnknownReference));
        continue;
      }
      locked.uploads.push_back(Finished(documents::ClaimLockedUpload(
          transaction_, scope, upload, results[first_upload + i], field,
          references.person.text())));
    }
    if (!references.organisation.empty() && !results.back().rows.empty()) {
      ASSIGN_OR_RETURN(locked.organisation,
                       OrganisationTable().Decode(results.back().rows.front(),
                                                  transaction_.person_keys()));
    }
    return locked;
  }

  absl::StatusOr<PlaceCounts> CountPlaces(const CohortName& cohort) override {
    ASSIGN_OR_RETURN(const Rows rows, transaction_.Query(SelectPlaces(cohort)));
    return PlaceCountsFrom(rows);
  }

  absl::StatusOr<GoNoGoCounts> CountGoNoGo(const CohortName& cohort,
                                           absl::CivilDay today) override {
    ASSIGN_OR_RETURN(const PlaceCounts counts, CountPlaces(cohort));
    ASSIGN_OR_RETURN(
        const int64_t withdrawable,
        QueryCount(transaction_,
                   {.sql = "SELECT COUNT(*) FROM application"
                           " WHERE cohort = $1 AND place_state = 'CONFIRMED'"
                           " AND EXISTS (SELECT 1 FROM agreement"
                           " WHERE agreement.application = application.name"
                           " AND agreement.state = 'SIGNED'"
                           " AND agreement.withdrawal_end_date >= $2)",
                    .values = {cohort.text(), absl::FormatCivilTime(today)}}));
    return GoNoGoCounts{.binding = counts.confirmed - withdrawable,
                        .in_withdrawal_period = withdrawable,
                        .at_risk = counts.at_risk};
  }

  absl::StatusOr<std::vector<Application>> ApplicationsByPlace(
      const access::Scope& scope, const CohortName& cohort,
      const std::vector<PlaceState>& states) override {
    Values values{cohort.text()};
    std::vector<std::string> places;
    for (PlaceState state : states) {
      values.emplace_back(std::string(NameOf(state)));
      places.push_back(Cat("$", values.size()));
    }
    const std::string where = Cat(
        "cohort = $1 AND place_state IN (", absl::StrJoin(places, ", "), ")",
        storage::ScopePredicate(scope, ApplicationTable().reach(), values),
        " ORDER BY rank");
    return storage::SelectInto(transaction_, ApplicationTable(), where,
                               std::move(values));
  }

  absl::StatusOr<std::vector<Application>> PlacesDue(absl::Time now,
                                                     int limit) override {
    return storage::SelectInto(
        transaction_, ApplicationTable(),
        "place_expire_time <= $1 OR pieces_due_time <= $1"
        " ORDER BY CASE WHEN place_expire_time IS NULL THEN pieces_due_time"
        " WHEN pieces_due_time IS NULL THEN place_expire_time"
        " WHEN pieces_due_time < place_expire_time THEN pieces_due_time"
        " ELSE place_expire_time END, name LIMIT $2",
        {absl::ToUnixMicros(now), int64_t{limit}});
  }

  absl::StatusOr<std::vector<Cohort>> CohortsToStepOn(absl::Time now) override {
    // The day that it is, or will be within a day, wherever the cohort is; and
    // a year of four digits, for days are compared as texts.
    const absl::CivilDay latest(9999, 12, 31);
    const absl::CivilDay day =
        now == absl::InfiniteFuture()
            ? latest
            : std::min(absl::ToCivilDay(now, absl::UTCTimeZone()) + 1, latest);
    return storage::SelectInto(transaction_, CohortTable(),
                               "(state = 'CONFIRMED' AND start_date <= $1)"
                               " OR (state = 'UNDER_WAY' AND end_date <= $1) "
                               "ORDER BY start_date, name",
                               {absl::FormatCivilTime(day)});
  }

  absl::StatusOr<int64_t> CountWaitingBefore(const CohortName& cohort,
                                             int64_t rank) override {
    return QueryCount(
        transaction_,
        {.sql = "SELECT COUNT(*) FROM application WHERE cohort = $1"
                " AND place_state = 'WAITLISTED' AND rank < $2",
         .values = {cohort.text(), rank}});
  }

  absl::StatusOr<std::vector<int64_t>> WaitingRanks(
      const CohortName& cohort) override {
    ASSIGN_OR_RETURN(
        const Rows rows,
        transaction_.Query({.sql =
                                "SELECT rank FROM application WHERE cohort = $1"
                                " AND place_state = 'WAITLISTED' ORDER BY rank",
                            .values = {cohort.text()}}));
    std::vector<int64_t> ranks;
    ranks.reserve(rows.size());
    for (const Row& row : rows) ranks.push_back(row.Integer(0));
    return ranks;
  }

  absl::StatusOr<Page<Application>> ListApplications(
      const access::Scope& scope, const CohortName& cohort,
      const ApplicationFilter& filter, const PageRequest& page) override {
    Values values;
    std::string where;
    const auto equals = [&](std::string_view column, std::string_view value) {
      values.emplace_back(std::string(value));
      CatTo(where, where.empty() ? "" : " AND ", column, " = $", values.size());
    };
    if (filter.by_rank) equals("cohort", cohort.text());
    if (filter.review_state.has_value()) {
      equals("review_state", NameOf(*filter.review_state));
    }
    if (filter.place_state.has_value()) {
      equals("place_state", NameOf(*filter.place_state));
    }
    if (filter.by_rank) {
      where +=
          storage::ScopePredicate(scope, ApplicationTable().reach(), values);
      return ListByRank(where, std::move(values), page);
    }
    // By name, as they stand under the cohort: no more is read than the page.
    return applications_.ListWhere(scope, cohort.text(), page, where,
                                   std::move(values));
  }

  absl::StatusOr<Page<Enrolment>> ListEnrolments(
      const access::Scope& scope, const CohortName& cohort,
      std::optional<EnrolmentState> state, const PageRequest& page) override {
    Values values;
    std::string where;
    if (state.has_value()) {
      values.emplace_back(std::string(NameOf(*state)));
      where = "state = $1";
    }
    return enrolments_.ListWhere(scope, cohort.text(), page, where,
                                 std::move(values));
  }

  absl::StatusOr<Page<Agreement>> ListAgreements(
      const access::Scope& scope, const BodyName& body,
      const ApplicationName& application, const PageRequest& page) override {
    Values values;
    std::string where;
    if (!application.empty()) {
      values.emplace_back(application.text());
      where = "application = $1";
    }
    return agreements_.ListWhere(scope, body.text(), page, where,
                                 std::move(values));
  }

  absl::StatusOr<std::vector<Agreement>> AgreementsOf(
      const access::Scope& scope, const ApplicationName& application) override {
    Values values{application.text()};
    const std::string where =
        Cat("application = $1",
            storage::ScopePredicate(scope, AgreementTable().reach(), values),
            " ORDER BY name", transaction_.writable() ? " {for_update}" : "");
    ASSIGN_OR_RETURN(std::vector<Agreement> agreements,
                     storage::SelectInto(transaction_, AgreementTable(), where,
                                         std::move(values)));
    if (transaction_.writable()) {
      for (const Agreement& agreement : agreements) {
        agreements_.NoteLocked(agreement);
      }
    }
    return agreements;
  }

  absl::StatusOr<std::optional<Enrolment>> EnrolmentOf(
      const access::Scope& scope, const ApplicationName& application) override {
    Values values{application.text()};
    const std::string where =
        Cat("application = $1",
            storage::ScopePredicate(scope, EnrolmentTable().reach(), values),
            " ORDER BY name DESC LIMIT 1",
            transaction_.writable() ? " {for_update}" : "");
    ASSIGN_OR_RETURN(std::vector<Enrolment> enrolments,
                     storage::SelectInto(transaction_, EnrolmentTable(), where,
                                         std::move(values)));
    if (enrolments.empty()) return std::optional<Enrolment>();
    if (transaction_.writable()) enrolments_.NoteLocked(enrolments.front());
    return std::optional<Enrolment>(std::move(enrolments.front()));
  }

  absl::StatusOr<FinishedUpload> ClaimUpload(const access::Scope& scope,
                                             const UploadName& name,
                                             const PersonName& person,
                                             std::string_view field) override {
    return Finished(documents::ClaimUpload(transaction_, scope, name, field,
                                           person.text()));
  }

  absl::StatusOr<PersonRecord> RecordOf(const access::Scope& scope,
                                        const PersonName& person) override {
    const std::string lock = transaction_.writable() ? " {for_update}" : "";
    const std::string by_name = Cat(" ORDER BY name", lock);
    const auto select = [&](const auto& table, std::string_view where) {
      Values values{person.text()};
      const std::string within =
          Cat(where, storage::ScopePredicate(scope, table.reach(), values));
      return table.SelectWhere(within, std::move(values), by_name);
    };
    ASSIGN_OR_RETURN(
        const std::vector<Result> results,
        transaction_.QueryTogether(
            {select(CohortTable(),
                    "name IN (SELECT cohort FROM application"
                    " WHERE person = $1)"),
             select(ApplicationTable(), "person = $1"),
             select(AgreementTable(),
                    "application IN (SELECT name FROM application"
                    " WHERE person = $1)"),
             select(EnrolmentTable(), "person = $1"),
             select(PersonTable(), "name = $1"),
             {.sql = "SELECT name FROM upload WHERE state IN"
                     " ('RECEIVING', 'COMPLETE') AND expire_time > $2"
                     " AND account IN (SELECT account FROM application"
                     " WHERE person = $1 AND account <> '') ORDER BY name",
              .values = {person.text(),
                         absl::ToUnixMicros(transaction_.caller().now)}}}));
    if (results[4].rows.empty()) {
      return storage::AbsentIn(scope, person.text());
    }
    PersonRecord record;
    ASSIGN_OR_RETURN(record.cohorts,
                     DecodeAll(CohortTable(), cohorts_, results[0].rows));
    ASSIGN_OR_RETURN(
        record.applications,
        DecodeAll(ApplicationTable(), applications_, results[1].rows));
    ASSIGN_OR_RETURN(record.agreements,
                     DecodeAll(AgreementTable(), agreements_, results[2].rows));
    ASSIGN_OR_RETURN(record.enrolments,
                     DecodeAll(EnrolmentTable(), enrolments_, results[3].rows));
    ASSIGN_OR_RETURN(std::vector<Person> persons,
                     DecodeAll(PersonTable(), persons_, results[4].rows));
    record.person = std::move(persons.front());
    for (const Row& row : results[5].rows) {
      record.uploads.push_back(UploadName::FromRecord(row.Text(0)));
    }
    return record;
  }

  absl::Status ExpireUploads(const std::vector<UploadName>& names) override {
    auto uploads = documents::UploadRepository(transaction_);
    const access::Scope any = access::Scope::Installation();
    for (const UploadName& name : names) {
      ASSIGN_OR_RETURN(documents::Upload upload, uploads.Lock(any, name));
      upload.state = documents::UploadState::kExpired;
      upload.sha256.clear();
      upload.file_key.clear();
      upload.file_master_key.clear();
      uploads.Update(upload);
    }
    return absl::OkStatus();
  }

  absl::Status EraseReasons(const ApplicationName& application) override {
    ASSIGN_OR_RETURN(
        const Rows rows,
        transaction_.Query(
            {.sql = "SELECT insertion, text_fr, text_en FROM place_event"
                    " WHERE application = $1 AND place_state = $2",
             .values = {application.text(),
                        std::string(NameOf(PlaceState::kAtRisk))}}));
    for (const Row& row : rows) {
      PlaceEvent event{.text_fr = row.Text(1), .text_en = row.Text(2)};
      EraseReason(event);
      transaction_.Write(
          {.sql = "UPDATE place_event SET text_fr = $2, text_en = $3"
                  " WHERE insertion = $1",
           .values = {row.Integer(0), event.text_fr, event.text_en}});
    }
    return absl::OkStatus();
  }

  absl::Status Forget(const PersonName& person,
                      const std::vector<UploadName>& files) override {
    RETURN_IF_ERROR(
        documents::ExpireUploadsOf(transaction_, person.text(), files));
    transaction_.Write({.sql = "DELETE FROM ownership WHERE owner_key = $1",
                        .values = {OwnKey("learner", person.text())}});
    transaction_.person_keys().Erase(person.text());
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<Erasure>> ErasuresAwaiting(
      std::string_view service) override {
    const bool own = service == kThisService;
    return storage::SelectInto(
        transaction_, ErasureTable(),
        Cat("state = 'RUNNING' AND acknowledgements NOT LIKE $1",
            own ? " AND EXISTS (SELECT 1 FROM person_key"
                  " WHERE person_key.person = erasure.person"
                  " AND erased_time IS NOT NULL)"
                : ""),
        {Cat("%\"", service, "\"%")}, "ORDER BY name LIMIT 500");
  }

  absl::StatusOr<std::string> PeerPosition(std::string_view service) override {
    ASSIGN_OR_RETURN(const Rows rows,
                     transaction_.Query({.sql = "SELECT token FROM peer_feed"
                                                " WHERE service = $1",
                                         .values = {std::string(service)}}));
    return rows.empty() ? "" : rows.front().Text(0);
  }

  void SetPeerPosition(std::string_view service,
                       const std::string& token) override {
    transaction_.Write(
        {.sql = "INSERT INTO peer_feed (service, token) VALUES ($1, $2)"
                " ON CONFLICT (service) DO UPDATE SET token = $2",
         .values = {std::string(service), token}});
  }

  absl::StatusOr<std::vector<Application>> ApplicationsWithPieces(
      const BodyName& body, absl::Time before, int limit) override {
    return storage::SelectInto(
        transaction_, ApplicationTable(),
        "body = $1 AND pieces <> '[]'"
        " AND NOT EXISTS (SELECT 1 FROM enrolment"
        " WHERE enrolment.application = application.name)"
        " AND ((review_state IN ('REFUSED', 'WITHDRAWN') AND update_time < $2)"
        " OR EXISTS (SELECT 1 FROM cohort WHERE"
        " cohort.name = application.cohort AND cohort.state <> 'POSTPONED'"
        " AND application.review_state NOT IN ('REFUSED', 'WITHDRAWN')"
        " AND cohort.end_date < $3))",
        {body.text(), absl::ToUnixMicros(before),
         absl::FormatCivilTime(ParisDay(before)), int64_t{limit}},
        "ORDER BY name LIMIT $4");
  }

  absl::StatusOr<std::vector<PersonName>> IdlePersons(const BodyName& body,
                                                      absl::Time before,
                                                      absl::CivilDay accounted,
                                                      const PersonName& after,
                                                      int limit) override {
    ASSIGN_OR_RETURN(
        const Rows rows,
        transaction_.Query(
            {.sql =
                 "SELECT name FROM person WHERE name > $1 AND name < $2"
                 " AND erase_time IS NULL AND update_time < $3"
                 " AND EXISTS (SELECT 1 FROM application"
                 " WHERE application.person = person.name)"
                 " AND NOT EXISTS (SELECT 1 FROM application"
                 " WHERE application.person = person.name"
                 " AND application.update_time >= $3)"
                 " AND NOT EXISTS (SELECT 1 FROM enrolment"
                 " WHERE enrolment.person = person.name"
                 " AND enrolment.update_time >= $3)"
                 " AND NOT EXISTS (SELECT 1 FROM agreement, application, cohort"
                 " WHERE application.person = person.name"
                 " AND agreement.application = application.name"
                 " AND cohort.name = agreement.cohort"
                 " AND agreement.sign_time IS NOT NULL"
                 " AND agreement.state <> 'WITHDRAWN'"
                 " AND agreement.price_cents > 0 AND cohort.end_date >= $4)"
                 " ORDER BY name LIMIT $5",
             // All that begin with it: the next character after / is 0.
             .values = {
                 after.empty() ? Cat(body.text(), "/persons/") : after.text(),
                 Cat(body.text(), "/persons0"), absl::ToUnixMicros(before),
                 absl::FormatCivilTime(accounted), int64_t{limit}}}));
    std::vector<PersonName> persons;
    for (const Row& row : rows) {
      persons.push_back(PersonName::FromRecord(row.Text(0)));
    }
    return persons;
  }

  absl::StatusOr<std::optional<std::string>> FindByExternalId(
      const BodyName& body, std::string_view collection,
      const ExternalId& id) override {
    ASSIGN_OR_RETURN(
        const Rows rows,
        transaction_.Query(
            {.sql = "SELECT resource FROM external_id WHERE body = $1"
                    " AND collection = $2 AND system = $3 AND value = $4",
             .values = {body.text(), std::string(collection), id.system,
                        id.value}}));
    if (rows.empty()) return std::optional<std::string>();
    return std::optional(rows.front().Text(0));
  }

  void KeepExternalIds(std::string_view collection, const std::string& name,
                       const std::vector<ExternalId>& ids) override {
    transaction_.Write({.sql = "DELETE FROM external_id WHERE resource = $1",
                        .values = {name}});
    for (const ExternalId& id : ids) {
      transaction_.Write(
          {.sql = "INSERT INTO external_id"
                  " (body, collection, system, value, resource)"
                  " VALUES ($1, $2, $3, $4, $5)",
           .values = {FirstSegments(name, 2), std::string(collection),
                      id.system, id.value, name}});
    }
  }

  absl::StatusOr<std::vector<SecretUse>> SecretUses(
      const ApiClientName& first, const ApiClientName& last) override {
    ASSIGN_OR_RETURN(
        const Rows rows,
        transaction_.Query(
            {.sql = "SELECT client, secret, last_use_time FROM api_client_use"
                    " WHERE client >= $1 AND client <= $2",
             .values = {first.text(), last.text()}}));
    std::vector<SecretUse> uses;
    uses.reserve(rows.size());
    for (const Row& row : rows) {
      uses.push_back({.client = ApiClientName::FromRecord(row.Text(0)),
                      .secret_id = row.Text(1),
                      .last_use_time = absl::FromUnixMicros(row.Integer(2))});
    }
    return uses;
  }

  void KeepSecretUse(const SecretUse& use) override {
    transaction_.Write(
        {.sql = "INSERT INTO api_client_use (client, secret, last_use_time)"
                " VALUES ($1, $2, $3) ON CONFLICT (client, secret) DO UPDATE"
                " SET last_use_time = $3"
                " WHERE api_client_use.last_use_time < $3",
         .values = {use.client.text(), use.secret_id,
                    absl::ToUnixMicros(use.last_use_time)}});
  }

  absl::StatusOr<int64_t> FeedPosition() override {
    return storage::FeedHead(transaction_);
  }

  absl::StatusOr<std::vector<PlaceEvent>> PlaceEvents(
      const access::Scope& scope, const ApplicationName& application) override {
    Values values{application.text()};
    const std::string sql =
        Cat("SELECT event_time, place_state, cause, taken_count, capacity,"
            " rule, text_fr, text_en FROM place_event WHERE application = $1",
            storage::ScopePredicate(
                scope, storage::Reach::Through({"application"}), values),
            " ORDER BY insertion");
    ASSIGN_OR_RETURN(
        const Rows rows,
        transaction_.Query({.sql = sql, .values = std::move(values)}));
    std::vector<PlaceEvent> events;
    events.reserve(rows.size());
    for (const Row& row : rows) {
      events.push_back(
          {.application = application,
           .event_time = absl::FromUnixMicros(row.Integer(0)),
           .place_state =
               FromName<PlaceState>(row.Text(1)).value_or(PlaceState::kNone),
           .cause = row.Text(2),
           .taken_count = row.Integer(3),
           .capacity = row.Integer(4),
           .rule = row.Text(5),
           .text_fr = row.Text(6),
           .text_en = row.Text(7)});
    }
    return events;
  }

  void Append(const PlaceEvent& event) override {
    transaction_.Write(
        {.sql = "INSERT INTO place_event (application, body, event_time,"
                " place_state, cause, taken_count, capacity, rule, text_fr,"
                " text_en) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
         .values = {event.application.text(), event.application.body(),
                    absl::ToUnixMicros(event.event_time),
                    std::string(NameOf(event.place_state)), event.cause,
                    event.taken_count, event.capacity, event.rule,
                    event.text_fr, event.text_en}});
  }

 private:
  // Resources that a statement of the transaction has read, and locked where it
  // writes.
  template <typename Resource>
  absl::StatusOr<std::vector<Resource>> DecodeAll(
      const storage::Table<Resource>& table,
      RecordingRepository<Resource>& repository, const Rows& rows) {
    std::vector<Resource> resources;
    resources.reserve(rows.size());
    for (const Row& row : rows) {
      ASSIGN_OR_RETURN(Resource resource,
                       table.Decode(row, transaction_.person_keys()));
      if (transaction_.writable()) repository.NoteLocked(resource);
      resources.push_back(std::move(resource));
    }
    return resources;
  }

  // The cohort first: what is read behind it is read under its lock.
  static std::vector<Statement> LockPlacesStatements(const access::Scope& scope,
                                                     const CohortName& cohort,
                                                     bool to_be_written) {
    Values values{cohort.text()};
    const std::string where =
        Cat("name = $1",
            storage::ScopePredicate(scope, CohortTable().reach(), values),
            " {for_update}");
    return {to_be_written
                ? CohortTable().SelectWhere(where, std::move(values))
                : CohortTable().SelectBriefly(where, std::move(values)),
            ProgrammeTable().SelectBriefly(
                "name = (SELECT programme FROM cohort WHERE name = $1)",
                {cohort.text()}),
            SelectPlaces(cohort)};
  }

  // Out of the results of LockPlacesStatements.
  absl::StatusOr<LockedPlaces> PlacesFrom(const access::Scope& scope,
                                          const CohortName& cohort,
                                          const std::vector<Result>& results) {
    if (results[0].rows.empty()) {
      return storage::AbsentIn(scope, cohort.text());
    }
    LockedPlaces places;
    ASSIGN_OR_RETURN(places.cohort,
                     CohortTable().Decode(results[0].rows.front(),
                                          transaction_.person_keys()));
    ASSIGN_OR_RETURN(places.programme,
                     ProgrammeTable().Decode(results[1].rows.front(),
                                             transaction_.person_keys()));
    places.counts = PlaceCountsFrom(results[2].rows);
    places.last_rank = LastRankFrom(results[2].rows);
    cohorts_.NoteLocked(places.cohort);
    return places;
  }

  absl::StatusOr<Page<Application>> ListByRank(std::string where, Values values,
                                               const PageRequest& page) {
    if (!page.after_key.empty()) {
      int64_t rank = 0;
      if (page.after_key.size() < kRankWidth ||
          !absl::SimpleAtoi(page.after_key.substr(0, kRankWidth), &rank)) {
        return MakeFieldError("page_token", Reason::kPageTokenInvalid);
      }
      values.emplace_back(rank);
      values.emplace_back(page.after_key.substr(kRankWidth));
      const std::size_t at = values.size();
      CatTo(where, " AND (", kRankOrder, " > $", at - 1, " OR (", kRankOrder,
            " = $", at - 1, " AND name > $", at, "))");
    }
    values.emplace_back(int64_t{page.size} + 1);
    CatTo(where, " ORDER BY ", kRankOrder, ", name LIMIT $", values.size());
    ASSIGN_OR_RETURN(std::vector<Application> items,
                     storage::SelectInto(transaction_, ApplicationTable(),
                                         where, std::move(values)));
    Page<Application> answer;
    if (items.size() > static_cast<std::size_t>(page.size)) {
      items.pop_back();
      answer.next_key = RankKey(items.back());
    }
    answer.items = std::move(items);
    return answer;
  }

  Transaction& transaction_;
  RecordingRepository<Body> bodies_;
  RecordingRepository<Programme> programmes_;
  RecordingRepository<Cohort> cohorts_;
  RecordingRepository<Person> persons_;
  RecordingRepository<Organisation> organisations_;
  RecordingRepository<Application> applications_;
  ApplicationRepository written_applications_;
  RecordingRepository<Agreement> agreements_;
  RecordingRepository<Enrolment> enrolments_;
  RecordingRepository<ApiClient> api_clients_;
  RecordingRepository<Erasure> erasures_;
};

}  // namespace

std::vector<storage::Migration> AllMigrations() {
  return documents::WithUploadMigrations(Migrations());
}

absl::Status SqlEnrolmentStore::View(
    const access::Caller& caller,
    absl::FunctionRef<absl::Status(EnrolmentUnit&)> body) {
  return database_.View(caller, [&](Transaction& transaction) {
    SqlEnrolmentUnit unit(transaction);
    return body(unit);
  });
}

absl::StatusOr<ChangeOutcome> SqlEnrolmentStore::Change(
    const access::Caller& caller,
    absl::FunctionRef<absl::StatusOr<std::string>(EnrolmentUnit&)> body) {
  ASSIGN_OR_RETURN(
      const storage::Outcome outcome,
      database_.Transact(
          caller,
          [&](Transaction& transaction) -> absl::StatusOr<storage::Outcome> {
            SqlEnrolmentUnit unit(transaction);
            ASSIGN_OR_RETURN(std::string name, body(unit));
            return storage::Outcome{.name = std::move(name)};
          }));
  return ChangeOutcome{.name = outcome.name, .replayed = outcome.replayed};
}

}  // namespace parcours::enrolment
