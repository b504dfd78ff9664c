#include "services/enrolment/generation/generation.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/audit/entry.h"
#include "common/audit/trail.h"
#include "common/crypto/digest.h"
#include "common/status/macros.h"
#include "common/storage/audit_row.h"
#include "common/storage/made_up_data.h"
#include "common/text/case_fold.h"
#include "common/text/view.h"
#include "common/time/clock.h"
#include "common/types/seeded_stream.h"
#include "parcours/enrolment/v1/programme.pb.h"
#include "services/enrolment/domain/agreement.h"
#include "services/enrolment/domain/application.h"
#include "services/enrolment/domain/cohort.h"
#include "services/enrolment/domain/enrolment.h"
#include "services/enrolment/domain/people.h"
#include "services/enrolment/domain/place_history.h"
#include "services/enrolment/store/sql_enrolment_store.h"

namespace parcours::enrolment {
namespace {

namespace pb = ::parcours::enrolment::v1;

constexpr char kSubject[] = "parcours:generate";
constexpr char kReader[] = "parcours.enrolment.v1.ApplicationService/";
constexpr char kZone[] = "Europe/Paris";
constexpr char kSystem[] = "sis-fictif";
constexpr char kFunder[] = "afdas";

// Of one transaction.
constexpr absl::Duration kPatience = absl::Minutes(5);
// Cohorts of so many applications each, on an average of 50.
constexpr int64_t kSmallest = 20;
constexpr int64_t kSpread = 61;
constexpr int64_t kCohortsOfBody = 2;
constexpr int64_t kOrganisationsOfBody = 5;
constexpr int64_t kBodiesAtOnce = 20;
constexpr int64_t kCapacity = 30;
constexpr int64_t kMinimum = 12;
constexpr int64_t kCourseDays = 246;
constexpr int64_t kWithdrawalDays = 14;
constexpr int64_t kModuleMinutes = 360;
// Streams below are of bodies, those from here on of cohorts.
constexpr uint64_t kCohortStreams = uint64_t{1} << 32;
constexpr uint64_t kSizes = uint64_t{1} << 48;

constexpr std::string_view kGivenNames[] = {
    "Aline",    "Basile",  "Camille", "Diane",   "Éloi",   "Fanny", "Gaspard",
    "Hélène",   "Inès",    "Jules",   "Karim",   "Louise", "Malik", "Nadia",
    "Octave",   "Pauline", "Quentin", "Rose",    "Samir",  "Thaïs", "Ulysse",
    "Violette", "Willy",   "Xavier",  "Yasmine", "Zoé"};
// Nobody is called so: each is a bird and the word for what is invented.
constexpr std::string_view kFamilyNames[] = {
    "Alouette-Fictif", "Bergeronnette-Fictif", "Chardonneret-Fictif",
    "Dindon-Fictif",   "Étourneau-Fictif",     "Fauvette-Fictif",
    "Grive-Fictif",    "Hirondelle-Fictif",    "Jaseur-Fictif",
    "Loriot-Fictif",   "Mésange-Fictif",       "Nyctale-Fictif",
    "Ortolan-Fictif",  "Pinson-Fictif",        "Rouge-Gorge-Fictif",
    "Sittelle-Fictif", "Tarin-Fictif",         "Verdier-Fictif"};

// What a body teaches; enough for its page, and for a calendar.
struct Course {
  std::string content;
  std::vector<std::string> module_ids;
  int64_t minutes = 0;
};

Course MakeCourse() {
  Course course;
  pb::Programme message;
  message.set_display_name("Certificat fictif");
  message.set_certificate_title("Certificat de spécialisation fictif");
  for (int group = 1; group <= 4; ++group) {
    pb::ModuleGroup& added = *message.add_module_groups();
    added.set_id(Cat("groupe-", group));
    added.set_title(Cat("Groupe fictif ", group));
    for (int part = 1; part <= 3; ++part) {
      pb::Module& module = *added.add_modules();
      module.set_id(Cat("module-", group, "-", part));
      module.set_title(Cat("Module fictif ", group, ".", part));
      module.add_contents(
          "Un contenu inventé pour mesurer, que personne n’enseigne.");
      course.module_ids.push_back(module.id());
      course.minutes += kModuleMinutes;
    }
  }
  message.mutable_assessment()->set_note_required(true);
  message.mutable_assessment()->set_note_min_pages(5);
  message.mutable_assessment()->set_note_max_pages(10);
  message.mutable_assessment()->set_readers_per_note(2);
  pb::Party& party = *message.add_parties();
  party.set_role(pb::Party::ROLE_CERTIFIER);
  party.set_display_name("Certificateur fictif");
  message.set_duration_minutes(static_cast<int32_t>(course.minutes));
  message.set_thematic_day_count(12);
  message.set_delivery_mode(pb::DELIVERY_MODE_IN_PERSON);
  message.set_rank_event(pb::RANK_EVENT_COMPLETE_FILE);
  course.content = message.SerializeAsString();
  return course;
}

// One cohort and all that hangs on it: written in one transaction.
struct Batch {
  Cohort cohort;
  std::vector<Person> persons;
  std::vector<Application> applications;
  std::vector<PlaceEvent> events;
  std::vector<Agreement> agreements;
  std::vector<Enrolment> enrolments;
  int64_t last_rank = 0;
  // Who has looked at which application.
  std::vector<std::pair<std::string, std::string>> reads;
};

BodyName BodyOf(int64_t number) {
  return BodyName::FromRecord(absl::StrFormat("bodies/fictif-%05d", number));
}

ProgrammeName ProgrammeOf(const BodyName& body) {
  return ChildName<ProgrammeName>(body, "programmes", "certificat-fictif");
}

OrganisationName OrganisationOf(const BodyName& body, int64_t number) {
  return ChildName<OrganisationName>(body, "organisations",
                                     Cat("employeur-fictif-", number));
}

// Nobody has an identifier of so small a number.
std::string Siret(int64_t number) {
  return absl::StrFormat("000%011d", number);
}

// Of the numbers that are kept for works of fiction.
std::string Phone(SeededStream& chance) {
  return absl::StrFormat("+33639980%03d", chance.Below(1000));
}

absl::CivilDay DayOf(absl::Time time) {
  return absl::ToCivilDay(time, ParisZone());
}

absl::Time DuringDay(absl::CivilDay day, SeededStream& chance) {
  return absl::FromCivil(day, ParisZone()) +
         absl::Seconds(8 * 3600 + chance.Below(10 * 3600));
}

// How far a cohort is: one half is over, and every fifth receives applications.
CohortState PickState(SeededStream& chance, bool has_applications) {
  if (!has_applications) {
    return chance.Chance(50) ? CohortState::kOpen : CohortState::kDraft;
  }
  const int64_t share = chance.Below(100);
  if (share < 50) return CohortState::kEnded;
  if (share < 70) return CohortState::kUnderWay;
  if (share < 80) return CohortState::kConfirmed;
  return CohortState::kOpen;
}

int64_t DaysToStart(CohortState state, SeededStream& chance) {
  switch (state) {
    case CohortState::kEnded:
      return -(kCourseDays + 30 + chance.Below(900));
    case CohortState::kUnderWay:
      return -(20 + chance.Below(kCourseDays - 60));
    case CohortState::kConfirmed:
      return 15 + chance.Below(30);
    default:
      return 60 + chance.Below(100);
  }
}

Cohort MakeCohort(const BodyName& body, int64_t number, bool has_applications,
                  absl::CivilDay today, SeededStream& chance) {
  Cohort cohort;
  cohort.name = ChildName<CohortName>(body, "cohorts",
                                      absl::StrFormat("promo-%04d", number));
  cohort.programme = ProgrammeOf(body);
  cohort.display_name = Cat("Promotion fictive ", number);
  cohort.capacity = kCapacity;
  cohort.minimum = kMinimum;
  cohort.time_zone = kZone;
  cohort.state = PickState(chance, has_applications);
  cohort.start_date = today + DaysToStart(cohort.state, chance);
  cohort.end_date = cohort.start_date + kCourseDays;
  cohort.application_open_date = cohort.start_date - 180;
  cohort.application_close_date = cohort.start_date - 1;
  cohort.entry_cutoff_date = cohort.start_date;
  cohort.prices = {{PayerKind::kIndividual, 172'500},
                   {PayerKind::kEmployer, 345'000},
                   {PayerKind::kCpf, 345'000}};
  cohort.funders = {{kFunder, PayerKind::kOpco, "funding.opco.lead_time"},
                    {"cpf", PayerKind::kCpf, "funding.cpf.lead_time"}};
  if (cohort.state != CohortState::kOpen &&
      cohort.state != CohortState::kDraft) {
    cohort.go_decision = GoDecision::kGo;
    cohort.go_decision_time = DuringDay(cohort.start_date - 45, chance);
    cohort.go_decider = "Coordination Fictive";
    cohort.go_reason = "Effectif suffisant.";
  }
  return cohort;
}

// Fills one cohort, candidate after candidate in the order of their ranks.
class CohortWriter {
 public:
  CohortWriter(Batch& batch, const BodyName& body, absl::Time now,
               SeededStream& chance)
      : batch_(batch),
        cohort_(batch.cohort),
        body_(body),
        now_(now),
        today_(DayOf(now)),
        chance_(chance) {}

  // `number` is that of the candidate among all.
  void AddCandidate(int64_t number) {
    Person person = MakePerson(number);
    Application application = MakeApplication(person);
    Decide(application);
    if (application.rank > 0) {
      batch_.events.push_back(EventOf(application));
    }
    if (application.place_state == PlaceState::kConfirmed) {
      const Agreement agreement = Sign(application);
      batch_.enrolments.push_back(Enrol(application, person, agreement));
      batch_.agreements.push_back(agreement);
    }
    const std::string reader =
        Cat(body_.id(), ":coordination-fictive-", 1 + chance_.Below(3));
    batch_.reads.emplace_back(reader, application.name.text());
    batch_.persons.push_back(std::move(person));
    batch_.applications.push_back(std::move(application));
  }

 private:
  bool is_past() const {
    return cohort_.state == CohortState::kUnderWay ||
           cohort_.state == CohortState::kEnded;
  }

  Person MakePerson(int64_t number) {
    Person person;
    person.given_name = chance_.OneOf(kGivenNames);
    person.family_name = chance_.OneOf(kFamilyNames);
    person.email = Cat("personne.fictive.", number, "@example.org");
    person.phone = Phone(chance_);
    if (chance_.Chance(50)) {
      person.external_ids.push_back(
          {kSystem, absl::StrFormat("F%09d", number)});
    }
    // Applications come between the first day and the last, or today.
    const absl::CivilDay last =
        std::min(cohort_.application_close_date, today_ - 1);
    const int64_t days =
        std::max<int64_t>(last - cohort_.application_open_date, 1);
    submitted_ =
        DuringDay(cohort_.application_open_date + chance_.Below(days), chance_);
    person.name =
        ChildName<PersonName>(body_, "persons", chance_.Uuid(submitted_));
    return person;
  }

  Application MakeApplication(const Person& person) {
    Application application;
    application.name = ChildName<ApplicationName>(cohort_.name, "applications",
                                                  chance_.Uuid(submitted_));
    application.cohort = cohort_.name;
    application.person = person.name;
    application.given_name = person.given_name;
    application.family_name = person.family_name;
    application.email = person.email;
    application.phone = person.phone;
    application.qualification = {.years_after_bac = 2 + chance_.Below(4),
                                 .experience_years = chance_.Below(15)};
    application.candidate_key = CandidateKey(application);
    application.payer = PickPayer();
    application.channel =
        chance_.Chance(80) ? Channel::kOnline : Channel::kEmail;
    application.meets_access_conditions = chance_.Chance(90);
    application.submit_time = submitted_;
    if (chance_.Chance(50)) {
      application.account = Cat("compte-fictif:", person.name.id());
    }
    AddPiece(application, PieceKind::kCv);
    return application;
  }

  Payer PickPayer() {
    const int64_t share = chance_.Below(100);
    const OrganisationName employer =
        OrganisationOf(body_, 1 + chance_.Below(kOrganisationsOfBody));
    if (share < 45) return {.kind = PayerKind::kIndividual};
    if (share < 70) {
      return {.kind = PayerKind::kEmployer, .organisation = employer};
    }
    if (share < 90) {
      return {.kind = PayerKind::kOpco,
              .organisation = employer,
              .funder_id = kFunder};
    }
    return {.kind = PayerKind::kCpf, .funder_id = "cpf"};
  }

  // Its bytes are nowhere: a digest of something that nobody has.
  void AddPiece(Application& application, PieceKind kind) {
    const std::string id = chance_.Uuid(submitted_);
    application.pieces.push_back(
        {.kind = kind,
         .upload = ChildName<UploadName>(body_, "uploads", id),
         .sha256 = crypto::Sha256Hex(id),
         .attach_time = submitted_});
  }

  void Review(Application& application, ReviewState state,
              std::string_view reason) {
    application.review_state = state;
    if (state == ReviewState::kReceived) return;
    application.decision.decider = "Coordination Fictive";
    application.decision.reason = std::string(reason);
    application.decision.decision_time =
        std::min(submitted_ + absl::Hours(24 * (2 + chance_.Below(12))), now_);
  }

  // Where review and place stand, in shares as a course knows them.
  void Decide(Application& application) {
    const int64_t share = chance_.Below(100);
    if (!is_past() && share < 12) return;  // a piece is still missing
    AddPiece(application, PieceKind::kLetter);
    application.rank = ++batch_.last_rank;
    application.rank_time = submitted_;
    if (share < 17) {
      Review(application, ReviewState::kWithdrawn, "");
      application.decision = {.reason = "Candidature retirée."};
      application.place_state = PlaceState::kReleased;
      return;
    }
    if (share < 24) {
      Review(application, ReviewState::kRefused,
             "Projet sans rapport avec la formation.");
      application.place_state = PlaceState::kReleased;
      return;
    }
    if (taken_ == cohort_.capacity) {
      Review(
          application,
          chance_.Chance(50) ? ReviewState::kAdmitted : ReviewState::kReceived,
          "Projet cohérent.");
      application.place_state = PlaceState::kWaitlisted;
      return;
    }
    ++taken_;
    const int64_t held = is_past()                                  ? 0
                         : cohort_.state == CohortState::kConfirmed ? 10
                                                                    : 60;
    const int64_t step = chance_.Below(100);
    if (step >= held) {
      Review(application, ReviewState::kAdmitted, "Projet cohérent.");
      application.place_state = PlaceState::kConfirmed;
      return;
    }
    application.place_state = PlaceState::kHeld;
    if (step >= held / 2) {
      Review(application, ReviewState::kReceived, "");
      return;
    }
    Review(application, ReviewState::kAdmitted, "Projet cohérent.");
    application.place_expire_time =
        DuringDay(today_ + 7 + chance_.Below(7), chance_);
  }

  PlaceEvent EventOf(const Application& application) const {
    const bool waits = application.place_state == PlaceState::kWaitlisted;
    return {
        .application = application.name,
        .event_time = submitted_,
        .place_state = waits ? PlaceState::kWaitlisted : PlaceState::kHeld,
        .cause = "Generate",
        .taken_count = taken_,
        .capacity = cohort_.capacity,
        .text_fr = Cat("Candidature fictive reçue au rang ", application.rank,
                       waits ? " : inscription sur la liste d’attente."
                             : " : place réservée."),
        .text_en = Cat(
            "Made-up application received at rank ", application.rank,
            waits ? ": entered in the waiting list." : ": a place is held.")};
  }

  Agreement Sign(const Application& application) {
    Agreement agreement;
    const absl::Time sign_time =
        std::min(application.decision.decision_time + absl::Hours(30), now_);
    agreement.name =
        ChildName<AgreementName>(body_, "agreements", chance_.Uuid(sign_time));
    agreement.application = application.name;
    agreement.cohort = cohort_.name;
    agreement.kind = KindFor(application.payer.kind);
    agreement.state = AgreementState::kSigned;
    agreement.payer_kind = application.payer.kind;
    agreement.organisation = application.payer.organisation;
    agreement.price_cents =
        application.payer.kind == PayerKind::kIndividual ? 172'500 : 345'000;
    agreement.signatory = "Signataire Fictive";
    agreement.sign_time = sign_time;
    if (agreement.kind == AgreementKind::kContract) {
      agreement.withdrawal_end_date = DayOf(sign_time) + kWithdrawalDays;
      agreement.withdrawal_rule = "règle fictive";
    }
    return agreement;
  }

  Enrolment Enrol(const Application& application, const Person& person,
                  const Agreement& agreement) {
    Enrolment enrolment;
    enrolment.enrol_time = *agreement.sign_time;
    enrolment.name = ChildName<EnrolmentName>(
        cohort_.name, "enrolments", chance_.Uuid(enrolment.enrol_time));
    enrolment.cohort = cohort_.name;
    enrolment.application = application.name;
    enrolment.person = person.name;
    enrolment.person_display_name = DisplayName(person);
    enrolment.payer_kind = application.payer.kind;
    enrolment.organisation = application.payer.organisation;
    enrolment.funder_id = application.payer.funder_id;
    enrolment.commitment_reference = agreement.name.text();
    enrolment.state = EnrolmentState::kEnrolled;
    if (is_past()) {
      enrolment.state = cohort_.state == CohortState::kEnded
                            ? EnrolmentState::kCompleted
                            : EnrolmentState::kStarted;
      if (chance_.Chance(6)) {
        enrolment.state = EnrolmentState::kDroppedOut;
        enrolment.end_date = cohort_.start_date + 1 + chance_.Below(15);
        enrolment.end_reason = "Abandon fictif.";
      }
    }
    return enrolment;
  }

  Batch& batch_;
  const Cohort& cohort_;
  const BodyName& body_;
  const absl::Time now_;
  const absl::CivilDay today_;
  SeededStream& chance_;
  int64_t taken_ = 0;
  absl::Time submitted_;
};

GeneratedCohort Told(const Batch& batch, const Course& course) {
  GeneratedCohort told;
  told.name = batch.cohort.name.text();
  told.programme = batch.cohort.programme.text();
  told.display_name = batch.cohort.display_name;
  told.time_zone = batch.cohort.time_zone;
  told.state = NameOf(batch.cohort.state);
  told.start_date = batch.cohort.start_date;
  told.end_date = batch.cohort.end_date;
  told.module_ids = course.module_ids;
  told.programme_minutes = course.minutes;
  for (const Enrolment& enrolment : batch.enrolments) {
    told.enrolments.push_back(
        {.name = enrolment.name.text(),
         .person = enrolment.person.text(),
         .display_name = enrolment.person_display_name,
         .state = std::string(NameOf(enrolment.state)),
         .payer_kind = std::string(NameOf(enrolment.payer_kind)),
         .organisation = enrolment.organisation.text(),
         .funder_id = enrolment.funder_id,
         .enrol_time = enrolment.enrol_time,
         .end_date = enrolment.end_date});
  }
  return told;
}

class Generator {
 public:
  Generator(storage::Database& database, const GenerationOptions& options)
      : database_(database), store_(database), options_(options) {
    SeededStream chance(options.seed, kSizes);
    for (int64_t left = options.applications; left > 0;) {
      const int64_t size = std::min(kSmallest + chance.Below(kSpread), left);
      first_candidate_.push_back(options.applications - left);
      left -= size;
    }
    filled_ = static_cast<int64_t>(first_candidate_.size());
    first_candidate_.push_back(options.applications);
    cohorts_ = std::max(filled_, options.bodies * kCohortsOfBody);
  }

  absl::StatusOr<GenerationSummary> Run() {
    RETURN_IF_ERROR(
        storage::CheckTakesMadeUpData(database_, absl::Now() + kPatience));
    RETURN_IF_ERROR(InParallel(
        (options_.bodies + kBodiesAtOnce - 1) / kBodiesAtOnce,
        [this](int64_t part) { return WriteBodies(part * kBodiesAtOnce); }));
    RETURN_IF_ERROR(InParallel(
        cohorts_, [this](int64_t index) { return WriteCohort(index); }));
    return summary_;
  }

 private:
  access::Caller Caller() const {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.principal.subject = kSubject;
    caller.method = "Generate";
    caller.deadline = absl::Now() + kPatience;
    caller.now = options_.now;
    return caller;
  }

  // Does the parts 0 to `count` - 1, each on one of the threads; the first
  // failure ends the work.
  absl::Status InParallel(int64_t count,
                          const std::function<absl::Status(int64_t)>& part) {
    std::atomic<int64_t> next = 0;
    absl::Status failure;
    const auto work = [&] {
      for (int64_t i = next++; i < count; i = next++) {
        const absl::Status status = part(i);
        if (status.ok()) continue;
        next = count;
        const std::lock_guard lock(mutex_);
        failure.Update(status);
      }
    };
    std::vector<std::thread> threads;
    for (int i = 1; i < options_.threads; ++i) threads.emplace_back(work);
    work();
    for (std::thread& thread : threads) thread.join();
    return failure;
  }

  absl::Status WriteBodies(int64_t first) {
    const int64_t end = std::min(first + kBodiesAtOnce, options_.bodies);
    RETURN_IF_ERROR(
        store_
            .Change(Caller(),
                    [&](EnrolmentUnit& unit) -> absl::StatusOr<std::string> {
                      for (int64_t i = first; i < end; ++i) WriteBody(unit, i);
                      return BodyOf(first).text();
                    })
            .status());
    const std::lock_guard lock(mutex_);
    summary_.bodies += end - first;
    return absl::OkStatus();
  }

  void WriteBody(EnrolmentUnit& unit, int64_t number) const {
    SeededStream chance(options_.seed, static_cast<uint64_t>(number));
    Body body;
    body.name = BodyOf(number);
    body.display_name = Cat("Organisme fictif ", number);
    body.legal_name = Cat("Organisme fictif ", number, " (inventé)");
    body.siret = Siret(number * 100);
    body.address_lines = {Cat(number, " rue de la Fiction"),
                          "00000 Nulle-Part"};
    body.email = Cat("organisme.fictif.", number, "@example.org");
    body.phone = Phone(chance);
    body.time_zone = kZone;
    unit.bodies().Insert(body);
    Programme programme;
    programme.name = ProgrammeOf(body.name);
    programme.display_name = "Certificat fictif";
    programme.access_conditions = {.years_after_bac = 4, .experience_years = 3};
    programme.rank_event = RankEvent::kCompleteFile;
    programme.required_pieces = {PieceKind::kCv, PieceKind::kLetter};
    programme.content = course_.content;
    unit.programmes().Insert(programme);
    for (int64_t i = 1; i <= kOrganisationsOfBody; ++i) {
      Organisation organisation;
      organisation.name = OrganisationOf(body.name, i);
      organisation.display_name = Cat("Employeur fictif ", i);
      organisation.siret = Siret(number * 100 + i);
      organisation.opco = kFunder;
      organisation.signatory = "Signataire Fictive";
      organisation.hr_email = Cat("rh.fictif.", number, ".", i, "@example.org");
      organisation.billing_email = organisation.hr_email;
      unit.organisations().Insert(organisation);
    }
  }

  Batch MakeBatch(int64_t index) const {
    SeededStream chance(options_.seed,
                        kCohortStreams + static_cast<uint64_t>(index));
    const BodyName body = BodyOf(index % options_.bodies);
    const bool filled = index < filled_;
    Batch batch;
    batch.cohort = MakeCohort(body, 1 + index / options_.bodies, filled,
                              DayOf(options_.now), chance);
    if (!filled) return batch;
    CohortWriter writer(batch, body, options_.now, chance);
    const auto at = static_cast<std::size_t>(index);
    for (int64_t i = first_candidate_[at]; i < first_candidate_[at + 1]; ++i) {
      writer.AddCandidate(i);
    }
    return batch;
  }

  absl::Status WriteCohort(int64_t index) {
    const Batch made = MakeBatch(index);
    RETURN_IF_ERROR(
        store_
            .Change(
                Caller(),
                [&made](EnrolmentUnit& unit) -> absl::StatusOr<std::string> {
                  // What is inserted is stamped, and the body may run again.
                  Batch batch = made;
                  Insert(unit, batch);
                  return batch.cohort.name.text();
                })
            .status());
    RETURN_IF_ERROR(WriteReads(made));
    const std::lock_guard lock(mutex_);
    ++summary_.cohorts;
    summary_.persons += static_cast<int64_t>(made.persons.size());
    summary_.applications += static_cast<int64_t>(made.applications.size());
    summary_.agreements += static_cast<int64_t>(made.agreements.size());
    summary_.enrolments += static_cast<int64_t>(made.enrolments.size());
    if (options_.progress) options_.progress(summary_.applications);
    return options_.on_cohort ? options_.on_cohort(Told(made, course_))
                              : absl::OkStatus();
  }

  static void Insert(EnrolmentUnit& unit, Batch& batch) {
    unit.cohorts().Insert(batch.cohort);
    for (Person& person : batch.persons) {
      unit.persons().Insert(person);
      if (person.external_ids.empty()) continue;
      unit.KeepExternalIds("persons", person.name.text(), person.external_ids);
    }
    for (Application& application : batch.applications) {
      unit.applications().Insert(application);
    }
    for (const PlaceEvent& event : batch.events) unit.Append(event);
    for (Agreement& agreement : batch.agreements) {
      unit.agreements().Insert(agreement);
    }
    for (Enrolment& enrolment : batch.enrolments) {
      unit.enrolments().Insert(enrolment);
    }
  }

  // Each file was opened once by somebody who reviews: most of a trail are
  // reads.
  absl::Status WriteReads(const Batch& batch) {
    if (batch.reads.empty()) return absl::OkStatus();
    return database_
        .Transact(audit::TrailCaller(absl::Now() + kPatience),
                  [&](storage::Transaction& transaction)
                      -> absl::StatusOr<storage::Outcome> {
                    for (const auto& [reader, application] : batch.reads) {
                      access::Caller caller = Caller();
                      caller.principal.subject = reader;
                      caller.method = Cat(kReader, "GetApplication");
                      for (const audit::Entry& entry :
                           audit::EntriesOf(caller, audit::Action::kRead,
                                            {{application}}, absl::Now())) {
                        transaction.Write(storage::InsertAuditEntry(entry));
                      }
                    }
                    return storage::Outcome{};
                  })
        .status();
  }

  storage::Database& database_;
  SqlEnrolmentStore store_;
  const GenerationOptions& options_;
  const Course course_ = MakeCourse();
  // Of each cohort that has applications; one more for the end.
  std::vector<int64_t> first_candidate_;
  int64_t filled_ = 0;
  int64_t cohorts_ = 0;
  std::mutex mutex_;
  GenerationSummary summary_;
};

}  // namespace

absl::StatusOr<GenerationSummary> Generate(storage::Database& database,
                                           const GenerationOptions& options) {
  return Generator(database, options).Run();
}

}  // namespace parcours::enrolment
