#include "services/evaluation/store/sql_evaluation_store.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/access/own_key.h"
#include "common/documents/upload_repository.h"
#include "common/status/macros.h"
#include "common/storage/feed.h"
#include "common/storage/recording_repository.h"
#include "common/text/view.h"
#include "services/evaluation/store/migrations.h"
#include "services/evaluation/store/tables.h"

namespace parcours::evaluation {
namespace {

using access::OwnKey;
using storage::RecordingRepository;
using storage::Rows;
using storage::SelectInto;
using storage::Table;
using storage::Transaction;
using storage::Values;

// In whose scope a resource lies, for the change feed.
template <typename Resource>
std::vector<std::string> ScopesOfCohort(const Resource& resource) {
  return {resource.name.body(),
          resource.name.template Under<CohortName>().text()};
}

template <typename Resource>
std::vector<std::string> ScopesOfPerson(const Resource& resource) {
  return {resource.name.body(),
          resource.name.template Under<CohortName>().text(),
          resource.person.text()};
}

// The same with the participation through which its owners reach it.
template <typename Resource>
std::vector<std::string> ScopesOfParticipation(const Resource& resource) {
  std::vector<std::string> scopes = ScopesOfPerson(resource);
  if (!resource.enrolment.empty()) {
    scopes.push_back(resource.enrolment.text());
  }
  return scopes;
}

std::vector<std::string> ScopesOfAppeal(const Appeal& appeal) {
  return {appeal.name.body(), appeal.name.Under<CohortName>().text(),
          appeal.enrolment.text()};
}

std::vector<std::string> ScopesOfCertificate(const Certificate& certificate) {
  return {certificate.name.body(),
          certificate.enrolment.Under<CohortName>().text(),
          certificate.enrolment.text()};
}

// The learner, their employer and their funder own what the roster of a cohort
// says of the participation, and what is written of it here.
std::vector<access::Ownership> OwnersOfRosterEntry(const RosterEntry& entry) {
  const std::string& enrolment = entry.enrolment.text();
  std::vector<access::Ownership> owners{
      {enrolment, OwnKey("learner", entry.person.text())}};
  if (!entry.organisation.empty()) {
    owners.push_back(
        {enrolment, OwnKey("employer_contact", entry.organisation.text())});
  }
  if (!entry.funder_id.empty()) {
    owners.push_back({enrolment, OwnKey("funder", entry.funder_id)});
  }
  owners.push_back(
      {NoteOf(entry.enrolment).text(), OwnKey("learner", entry.person.text())});
  return owners;
}

// A reader owns the note they were given.
std::vector<access::Ownership> OwnersOfReader(const NoteReader& reader) {
  return {{reader.note().text(), OwnKey("reader", reader.person.text())}};
}

std::vector<access::Ownership> OwnersOfConflict(const Conflict& conflict) {
  const std::string& person = conflict.person.text();
  return {{conflict.name.text(), OwnKey("jury_member", person)},
          {conflict.name.text(), OwnKey("reader", person)}};
}

// A member owns the jury, and what is known of its candidates.
std::vector<access::Ownership> OwnersOfJury(const Jury& jury) {
  std::vector<access::Ownership> owners;
  for (const JuryMember& member : jury.members) {
    const std::string key = OwnKey("jury_member", member.person.text());
    owners.push_back({jury.name.text(), key});
    for (const EnrolmentName& candidate : jury.candidates) {
      owners.push_back({candidate.text(), key});
      owners.push_back({NoteOf(candidate).text(), key});
    }
  }
  return owners;
}

// The names under `parent`, as a range: the next character after / is 0.
std::string UnderParent(std::string_view column, const std::string& parent,
                        Values& values) {
  values.emplace_back(parent + "/");
  values.emplace_back(parent + "0");
  return Cat(column, " >= $", values.size() - 1, " AND ", column, " < $",
             values.size());
}

class SqlEvaluationUnit final : public EvaluationUnit {
 public:
  explicit SqlEvaluationUnit(Transaction& transaction)
      : transaction_(transaction),
        plans_(transaction, AssessmentPlanTable(), "assessmentPlan",
               ScopesOfCohort<AssessmentPlan>),
        notes_(transaction, ValidationNoteTable(), "validationNote",
               ScopesOfParticipation<ValidationNote>),
        versions_(transaction, NoteVersionTable(), "noteVersion",
                  ScopesOfCohort<NoteVersion>),
        readers_(transaction, NoteReaderTable(), "noteReader",
                 ScopesOfPerson<NoteReader>, OwnersOfReader),
        conflicts_(transaction, ConflictTable(), "conflict",
                   ScopesOfPerson<Conflict>, OwnersOfConflict),
        juries_(transaction, JuryTable(), "jury", ScopesOfCohort<Jury>,
                OwnersOfJury),
        decisions_(transaction, DecisionTable(), "decision",
                   ScopesOfCohort<Decision>),
        minutes_(transaction, MinutesTable(), "minutes",
                 ScopesOfCohort<Minutes>),
        results_(transaction, ResultTable(), "result",
                 ScopesOfParticipation<Result>),
        appeals_(transaction, AppealTable(), "appeal", ScopesOfAppeal),
        certificates_(transaction, CertificateTable(), "certificate",
                      ScopesOfCertificate),
        roster_(transaction, RosterEntryTable(), "rosterEntry",
                ScopesOfPerson<RosterEntry>, OwnersOfRosterEntry),
        uploads_(documents::UploadRepository(transaction)) {}

  Repository<AssessmentPlan>& plans() override { return plans_; }
  Repository<ValidationNote>& notes() override { return notes_; }
  Repository<NoteVersion>& versions() override { return versions_; }
  Repository<NoteReader>& readers() override { return readers_; }
  Repository<Conflict>& conflicts() override { return conflicts_; }
  Repository<Jury>& juries() override { return juries_; }
  Repository<Decision>& decisions() override { return decisions_; }
  Repository<Minutes>& minutes() override { return minutes_; }
  Repository<Result>& results() override { return results_; }
  Repository<Appeal>& appeals() override { return appeals_; }
  Repository<Certificate>& certificates() override { return certificates_; }
  Repository<RosterEntry>& roster() override { return roster_; }
  Repository<documents::Upload>& uploads() override { return uploads_; }

  absl::StatusOr<Page<ValidationNote>> ListNotes(
      const access::Scope& scope, const CohortName& cohort,
      std::optional<NoteState> state, const PageRequest& page) override {
    if (!state.has_value()) return notes_.List(scope, cohort.text(), page);
    return notes_.ListWhere(scope, cohort.text(), page, "state = $1",
                            {std::string(NameOf(*state))});
  }

  absl::StatusOr<Page<Result>> ListResults(const access::Scope& scope,
                                           const CohortName& cohort,
                                           std::optional<ResultOutcome> outcome,
                                           const PageRequest& page) override {
    if (!outcome.has_value()) return results_.List(scope, cohort.text(), page);
    return results_.ListWhere(scope, cohort.text(), page, "outcome = $1",
                              {std::string(NameOf(*outcome))});
  }

  absl::StatusOr<Page<Certificate>> ListCertificates(
      const access::Scope& scope, const BodyName& body,
      const CohortName& cohort, const PageRequest& page) override {
    if (cohort.empty()) return certificates_.List(scope, body.text(), page);
    Values values;
    const std::string where = UnderParent("enrolment", cohort.text(), values);
    return certificates_.ListWhere(scope, body.text(), page, where,
                                   std::move(values));
  }

  absl::StatusOr<std::vector<RosterEntry>> RosterOf(
      const access::Scope& scope, const CohortName& cohort) override {
    return AllUnder(RosterEntryTable(), scope, cohort.text());
  }
  absl::StatusOr<std::vector<Result>> ResultsOf(
      const access::Scope& scope, const CohortName& cohort) override {
    return AllUnder(ResultTable(), scope, cohort.text());
  }
  absl::StatusOr<std::vector<ValidationNote>> NotesOf(
      const access::Scope& scope, const CohortName& cohort) override {
    return AllUnder(ValidationNoteTable(), scope, cohort.text());
  }
  absl::StatusOr<std::vector<NoteVersion>> VersionsOf(
      const access::Scope& scope, const CohortName& cohort) override {
    return AllUnder(NoteVersionTable(), scope, cohort.text());
  }
  absl::StatusOr<std::vector<NoteVersion>> VersionsOf(
      const access::Scope& scope, const NoteName& note) override {
    return AllUnder(NoteVersionTable(), scope, note.text());
  }
  absl::StatusOr<std::vector<NoteReader>> ReadersOf(
      const access::Scope& scope, const CohortName& cohort) override {
    return AllUnder(NoteReaderTable(), scope, cohort.text());
  }
  absl::StatusOr<std::vector<Conflict>> ConflictsOf(
      const access::Scope& scope, const CohortName& cohort) override {
    return AllUnder(ConflictTable(), scope, cohort.text());
  }
  absl::StatusOr<std::vector<Decision>> DecisionsOf(
      const access::Scope& scope, const JuryName& jury) override {
    return AllUnder(DecisionTable(), scope, jury.text());
  }

  absl::StatusOr<std::vector<Conflict>> ConflictsAbout(
      const access::Scope& scope, const EnrolmentName& enrolment) override {
    return AllWhere(ConflictTable(), scope, "enrolment = $1",
                    {enrolment.text()}, "ORDER BY name");
  }

  absl::StatusOr<std::vector<Minutes>> MinutesOfBody(
      const access::Scope& scope, const BodyName& body) override {
    return AllWhere(MinutesTable(), scope, "body = $1", {body.text()},
                    "ORDER BY position");
  }

  absl::StatusOr<std::vector<AssessmentPlan>> AllPlans(
      const access::Scope& scope) override {
    return AllWhere(AssessmentPlanTable(), scope, "1 = 1", {}, "ORDER BY name");
  }

  absl::StatusOr<std::optional<Jury>> OpenJuryOf(
      const access::Scope& scope, const CohortName& cohort) override {
    Values values;
    std::string where = UnderParent("name", cohort.text(), values);
    values.emplace_back(std::string(NameOf(JuryState::kOpen)));
    CatTo(where, " AND state = $", values.size());
    return FirstWhere(JuryTable(), scope, std::move(where), std::move(values),
                      "ORDER BY name LIMIT 1");
  }

  absl::StatusOr<std::optional<Minutes>> LastMinutes(
      const access::Scope& scope, const BodyName& body) override {
    return FirstWhere(MinutesTable(), scope, "body = $1", {body.text()},
                      "ORDER BY position DESC LIMIT 1");
  }

  absl::StatusOr<std::optional<Appeal>> OpenAppealAgainst(
      const access::Scope& scope, const DecisionName& decision) override {
    return FirstWhere(
        AppealTable(), scope, "decision = $1 AND state = $2",
        {decision.text(), std::string(NameOf(AppealState::kLodged))},
        "ORDER BY name LIMIT 1");
  }

  absl::StatusOr<std::vector<Certificate>> CertificatesByNumber(
      const access::Scope& scope, const std::string& number) override {
    return AllWhere(CertificateTable(), scope, "number = $1", {number},
                    "ORDER BY name");
  }

  absl::StatusOr<documents::Upload> ClaimUpload(
      const access::Scope& scope, const documents::UploadName& name,
      std::string_view field, const PersonName& person) override {
    return documents::ClaimUpload(transaction_, scope, name, field,
                                  person.text());
  }

  absl::StatusOr<PersonRecord> RecordOf(const access::Scope& scope,
                                        const PersonName& person) override {
    const auto theirs = [&](const auto& table, std::string_view where) {
      Values values{person.text()};
      std::string all =
          Cat(where, storage::ScopePredicate(scope, table.reach(), values));
      return table.SelectWhere(all, std::move(values), ByNameLocked());
    };
    std::string in_juries = "(members LIKE $2 OR state = $3) AND body = $1";
    Values jury_values{person.body(), Cat("%\"", person.text(), "\"%"),
                       std::string(NameOf(JuryState::kOpen))};
    in_juries +=
        storage::ScopePredicate(scope, JuryTable().reach(), jury_values);
    ASSIGN_OR_RETURN(
        const std::vector<storage::Result> results,
        transaction_.QueryTogether(
            {theirs(RosterEntryTable(), "person = $1"),
             JuryTable().SelectWhere(in_juries, std::move(jury_values),
                                     ByNameLocked()),
             theirs(ValidationNoteTable(), "person = $1"),
             theirs(NoteReaderTable(), "learner = $1"),
             theirs(NoteReaderTable(), "person = $1"),
             theirs(ConflictTable(), "person = $1"),
             theirs(DecisionTable(), "person = $1"),
             theirs(ResultTable(), "person = $1"),
             theirs(AppealTable(), "person = $1"),
             theirs(CertificateTable(),
                    "enrolment IN (SELECT enrolment FROM roster_entry"
                    " WHERE person = $1 UNION SELECT enrolment FROM result"
                    " WHERE person = $1)")}));
    PersonRecord record{.person = person};
    RETURN_IF_ERROR(
        Take(results[0], RosterEntryTable(), roster_, record.roster));
    std::vector<Jury> juries;
    RETURN_IF_ERROR(Take(results[1], JuryTable(), juries_, juries));
    RETURN_IF_ERROR(
        Take(results[2], ValidationNoteTable(), notes_, record.notes));
    RETURN_IF_ERROR(
        Take(results[3], NoteReaderTable(), readers_, record.reports));
    RETURN_IF_ERROR(
        Take(results[4], NoteReaderTable(), readers_, record.readings));
    RETURN_IF_ERROR(
        Take(results[5], ConflictTable(), conflicts_, record.conflicts));
    RETURN_IF_ERROR(
        Take(results[6], DecisionTable(), decisions_, record.decisions));
    RETURN_IF_ERROR(Take(results[7], ResultTable(), results_, record.results));
    RETURN_IF_ERROR(Take(results[8], AppealTable(), appeals_, record.appeals));
    RETURN_IF_ERROR(Take(results[9], CertificateTable(), certificates_,
                         record.certificates));
    for (Jury& jury : juries) Sort(std::move(jury), record);
    for (const ValidationNote& note : record.notes) {
      Values values;
      const std::string where = UnderParent("name", note.name.text(), values);
      ASSIGN_OR_RETURN(const Rows rows,
                       transaction_.Query(NoteVersionTable().SelectWhere(
                           where, std::move(values), ByNameLocked())));
      RETURN_IF_ERROR(
          Take({.rows = rows}, NoteVersionTable(), versions_, record.versions));
    }
    return record;
  }

  absl::StatusOr<std::set<PersonName>> ErasedAmong(
      const std::vector<PersonName>& persons) override {
    // One statement for some hundred names: engines limit its values.
    constexpr std::size_t kNames = 300;
    std::set<PersonName> erased;
    if (persons.empty()) return erased;
    if (transaction_.writable()) {
      // Whoever erases takes this row for themselves first.
      RETURN_IF_ERROR(
          transaction_
              .Query({.sql = "SELECT id FROM roster_position WHERE id = 1"
                             " {for_share}",
                      .values = {}})
              .status());
    }
    for (std::size_t first = 0; first < persons.size(); first += kNames) {
      std::string sql =
          "SELECT person FROM person_key WHERE erase_time IS NOT NULL"
          " AND person IN (";
      Values values;
      for (std::size_t i = first; i < std::min(persons.size(), first + kNames);
           ++i) {
        values.emplace_back(persons[i].text());
        CatTo(sql, i == first ? "$" : ", $", values.size());
      }
      ASSIGN_OR_RETURN(const Rows rows,
                       transaction_.Query({.sql = Cat(sql, ")"),
                                           .values = std::move(values)}));
      for (const storage::Row& row : rows) {
        erased.insert(PersonName::FromRecord(row.Text(0)));
      }
    }
    return erased;
  }

  absl::Status ExpireFiles(const PersonName& person,
                           const std::vector<NoteVersion>& versions) override {
    for (const NoteVersion& version : versions) {
      if (version.object_id.empty()) continue;
      // An upload did not always say whose it became.
      ASSIGN_OR_RETURN(
          const Rows rows,
          transaction_.Query(
              {.sql = "SELECT name FROM upload"
                      " WHERE person IN ($1, '') AND body = $2"
                      " AND object_id = $3",
               .values = {person.text(), person.body(), version.object_id}}));
      for (const storage::Row& row : rows) {
        ASSIGN_OR_RETURN(
            documents::Upload upload,
            uploads_.Lock(access::Scope::Body(person.body()),
                          documents::UploadName::FromRecord(row.Text(0))));
        upload.state = documents::UploadState::kExpired;
        upload.person = person.text();
        upload.sha256.clear();
        uploads_.Update(upload);
      }
    }
    return absl::OkStatus();
  }

  absl::Status Forget(const PersonName& person) override {
    RETURN_IF_ERROR(documents::ExpireUploadsOf(transaction_, person.text()));
    for (const char* role : {"learner", "jury_member", "reader"}) {
      transaction_.Write({.sql = "DELETE FROM ownership WHERE owner_key = $1",
                          .values = {OwnKey(role, person.text())}});
    }
    transaction_.person_keys().Erase(person.text());
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<Result>> ResultsWithNoteFiles(
      const access::Scope& scope, const BodyName& body, absl::Time before,
      int limit) override {
    return AllWhere(
        ResultTable(), scope,
        "body = $1 AND proclaim_time < $2 AND EXISTS (SELECT 1 FROM"
        " validation_note AS note JOIN note_version AS one"
        " ON one.name > note.name || '/versions/'"
        " AND one.name < note.name || '/versions0'"
        " WHERE note.enrolment = result.enrolment AND one.object_id <> '')",
        {body.text(), absl::ToUnixMicros(before)},
        Cat("ORDER BY name LIMIT ", limit));
  }

  absl::StatusOr<std::vector<Appeal>> AppealsWithTexts(
      const access::Scope& scope, const BodyName& body, absl::Time before,
      int limit) override {
    return AllWhere(AppealTable(), scope,
                    "body = $1 AND answer_time < $2"
                    " AND (statement <> '' OR answer <> '')",
                    {body.text(), absl::ToUnixMicros(before)},
                    Cat("ORDER BY name LIMIT ", limit));
  }

  absl::StatusOr<std::vector<BodyName>> Bodies() override {
    ASSIGN_OR_RETURN(
        const Rows rows,
        transaction_.Query({.sql = "SELECT body FROM roster_entry UNION"
                                   " SELECT body FROM assessment_plan"
                                   " ORDER BY body",
                            .values = {}}));
    std::vector<BodyName> bodies;
    for (const storage::Row& row : rows) {
      bodies.push_back(BodyName::FromRecord(row.Text(0)));
    }
    return bodies;
  }

  absl::StatusOr<int64_t> NextInSeries(const BodyName& body, Series series,
                                       int64_t year) override {
    // The row that is written stays locked until the transaction ends.
    ASSIGN_OR_RETURN(
        const Rows rows,
        transaction_.Query(
            {.sql = "INSERT INTO series (body, series, year, last_number)"
                    " VALUES ($1, $2, $3, 1)"
                    " ON CONFLICT (body, series, year)"
                    " DO UPDATE SET last_number = series.last_number + 1"
                    " RETURNING last_number",
             .values = {body.text(), std::string(NameOf(series)), year}}));
    return rows.front().Integer(0);
  }

  absl::StatusOr<int64_t> FeedPosition() override {
    return storage::FeedHead(transaction_);
  }

  absl::StatusOr<std::string> RosterPosition() override {
    ASSIGN_OR_RETURN(
        const Rows rows,
        transaction_.Query(
            {.sql = Cat("SELECT token FROM roster_position WHERE id = 1",
                        transaction_.writable() ? " {for_update}" : ""),
             .values = {}}));
    return rows.front().Text(0);
  }

  void SetRosterPosition(const std::string& token) override {
    transaction_.Write(
        {.sql = "UPDATE roster_position SET token = $1 WHERE id = 1",
         .values = {token}});
  }

 private:
  std::string_view ByNameLocked() const {
    return transaction_.writable() ? "ORDER BY name {for_update}"
                                   : "ORDER BY name";
  }

  // Adds to `taken` what a statement of ByNameLocked has read.
  template <typename Resource>
  absl::Status Take(const storage::Result& result, const Table<Resource>& table,
                    RecordingRepository<Resource>& repository,
                    std::vector<Resource>& taken) {
    for (const storage::Row& row : result.rows) {
      ASSIGN_OR_RETURN(Resource resource,
                       table.Decode(row, transaction_.person_keys()));
      if (transaction_.writable()) repository.NoteLocked(resource);
      taken.push_back(std::move(resource));
    }
    return absl::OkStatus();
  }

  // `jury` as one of the person's sessions, their juries, or neither.
  static void Sort(Jury jury, PersonRecord& record) {
    const bool sits = std::any_of(
        jury.members.begin(), jury.members.end(),
        [&](const JuryMember& m) { return m.person == record.person; });
    const bool examined =
        jury.state == JuryState::kOpen &&
        std::any_of(record.roster.begin(), record.roster.end(),
                    [&](const RosterEntry& entry) {
                      return std::find(
                                 jury.candidates.begin(), jury.candidates.end(),
                                 entry.enrolment) != jury.candidates.end();
                    });
    if (examined) record.sessions.push_back(jury);
    if (sits) record.juries.push_back(std::move(jury));
  }

  template <typename Resource>
  absl::StatusOr<std::vector<Resource>> AllWhere(const Table<Resource>& table,
                                                 const access::Scope& scope,
                                                 std::string where,
                                                 Values values,
                                                 std::string_view tail) {
    where += storage::ScopePredicate(scope, table.reach(), values);
    return SelectInto(transaction_, table, where, std::move(values), tail);
  }

  template <typename Resource>
  absl::StatusOr<std::vector<Resource>> AllUnder(const Table<Resource>& table,
                                                 const access::Scope& scope,
                                                 const std::string& parent) {
    Values values;
    std::string where = UnderParent("name", parent, values);
    return AllWhere(table, scope, std::move(where), std::move(values),
                    "ORDER BY name");
  }

  template <typename Resource>
  absl::StatusOr<std::optional<Resource>> FirstWhere(
      const Table<Resource>& table, const access::Scope& scope,
      std::string where, Values values, std::string_view tail) {
    ASSIGN_OR_RETURN(
        std::vector<Resource> found,
        AllWhere(table, scope, std::move(where), std::move(values), tail));
    if (found.empty()) return std::optional<Resource>();
    return std::optional<Resource>(std::move(found.front()));
  }

  Transaction& transaction_;
  RecordingRepository<AssessmentPlan> plans_;
  RecordingRepository<ValidationNote> notes_;
  RecordingRepository<NoteVersion> versions_;
  RecordingRepository<NoteReader> readers_;
  RecordingRepository<Conflict> conflicts_;
  RecordingRepository<Jury> juries_;
  RecordingRepository<Decision> decisions_;
  RecordingRepository<Minutes> minutes_;
  RecordingRepository<Result> results_;
  RecordingRepository<Appeal> appeals_;
  RecordingRepository<Certificate> certificates_;
  RecordingRepository<RosterEntry> roster_;
  RecordingRepository<documents::Upload> uploads_;
};

}  // namespace

std::vector<storage::Migration> AllMigrations() {
  return documents::WithUploadMigrations(Migrations());
}

absl::Status SqlEvaluationStore::View(
    const access::Caller& caller,
    absl::FunctionRef<absl::Status(EvaluationUnit&)> body) {
  return database_.View(caller, [&](Transaction& transaction) {
    SqlEvaluationUnit unit(transaction);
    return body(unit);
  });
}

absl::StatusOr<ChangeOutcome> SqlEvaluationStore::Change(
    const access::Caller& caller,
    absl::FunctionRef<absl::StatusOr<std::string>(EvaluationUnit&)> body) {
  ASSIGN_OR_RETURN(
      const storage::Outcome outcome,
      database_.Transact(
          caller,
          [&](Transaction& transaction) -> absl::StatusOr<storage::Outcome> {
            SqlEvaluationUnit unit(transaction);
            ASSIGN_OR_RETURN(std::string name, body(unit));
            return storage::Outcome{.name = std::move(name)};
          }));
  return ChangeOutcome{.name = outcome.name, .replayed = outcome.replayed};
}

}  // namespace parcours::evaluation
