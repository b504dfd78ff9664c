#include "services/enrolment/domain/place.h"

#include <algorithm>
#include <utility>

#include "common/status/macros.h"
#include "common/text/french_date.h"
#include "common/text/view.h"
#include "common/time/french_calendar.h"

namespace parcours::enrolment {
namespace {

// "18 mars 2026 à 17 h 30", in the cohort's zone.
std::string PrintFr(const Cohort& cohort, absl::Time time) {
  absl::TimeZone zone;
  absl::LoadTimeZone(cohort.time_zone, &zone);
  return FrenchMinute(absl::ToCivilMinute(time, zone));
}

std::string PrintEn(const Cohort& cohort, absl::Time time) {
  absl::TimeZone zone;
  absl::LoadTimeZone(cohort.time_zone, &zone);
  return absl::FormatTime("%d %B %Y, %H:%M", time, zone);
}

// In a form that both languages of an error read.
std::string PrintIso(const Cohort& cohort, absl::Time time) {
  absl::TimeZone zone;
  absl::LoadTimeZone(cohort.time_zone, &zone);
  return absl::FormatTime("%Y-%m-%d %H:%M", time, zone);
}

std::string Cite(const rules::DatedRule& rule) {
  return Cat(rule.article, " (", rule.version, ")");
}

PlaceEvent EventOf(const Application& application,
                   const PlaceSituation& situation, std::string text_fr,
                   std::string text_en, std::string rule = "") {
  return {.application = application.name,
          .event_time = situation.now,
          .place_state = application.place_state,
          .cause = situation.cause,
          .taken_count = situation.counts.taken(),
          .capacity = situation.cohort.capacity,
          .rule = std::move(rule),
          .text_fr = std::move(text_fr),
          .text_en = std::move(text_en)};
}

absl::Status NoPlace(const Application& application) {
  return MakeError(Reason::kNoPlace,
                   {{"state", std::string(NameOf(application.place_state))}});
}

absl::StatusOr<rules::DatedRule> RuleNow(const PlaceSituation& situation,
                                         std::string_view id) {
  return situation.rules.AsOf(id, LocalDay(situation.cohort, situation.now));
}

// The end of the day that closes the time the payer has to commit in writing.
absl::StatusOr<absl::Time> CommitmentDeadline(const PlaceSituation& situation) {
  ASSIGN_OR_RETURN(const rules::DatedRule rule,
                   RuleNow(situation, "place.commitment_deadline"));
  const int64_t days =
      situation.cohort.commitment_deadline_days.value_or(rule.value);
  return EndOfDay(situation.cohort,
                  LocalDay(situation.cohort, situation.now) + days);
}

absl::StatusOr<bool> DecidesInTime(const Funder& funder,
                                   const PlaceSituation& situation) {
  if (funder.lead_time_rule.empty()) return true;
  ASSIGN_OR_RETURN(const rules::DatedRule rule,
                   RuleNow(situation, funder.lead_time_rule));
  const absl::CivilDay today = LocalDay(situation.cohort, situation.now);
  const absl::CivilDay decided = rule.unit == rules::RuleUnit::kWorkingDays
                                     ? AddWorkingDays(today, rule.value)
                                     : today + rule.value;
  return decided <= situation.cohort.start_date;
}

absl::Status CheckOffered(const Application& application,
                          const PlaceSituation& situation) {
  if (application.place_state != PlaceState::kOffered) {
    return NoPlace(application);
  }
  if (IsDue(application, situation.now)) {
    return MakeError(Reason::kOfferExpired,
                     {{"expired", PrintIso(situation.cohort,
                                           *application.place_expire_time)}});
  }
  return absl::OkStatus();
}

constexpr std::string_view kFundingFailsFr = "Le financement fait défaut";
constexpr std::string_view kPlaceKeptFr = " : la place est gardée jusqu’au ";
constexpr std::string_view kFundingFailsEn = "The funding fails";
constexpr std::string_view kPlaceKeptEn = ": the place is kept until ";

// "fails (why): kept" becomes "fails: kept".
void CutReason(std::string& text, std::string_view fails,
               std::string_view kept) {
  const std::size_t begin = fails.size();
  const std::size_t end = text.rfind(Cat(")", kept));
  if (!text.starts_with(Cat(fails, " (")) || end == std::string::npos) return;
  text.erase(begin, end + 1 - begin);
}

}  // namespace

bool EarnsRank(const Application& application, RankEvent event,
               bool committed) {
  if (application.rank != 0 ||
      application.review_state == ReviewState::kRefused ||
      application.review_state == ReviewState::kWithdrawn) {
    return false;
  }
  switch (event) {
    case RankEvent::kPreRegistration:
      return true;
    case RankEvent::kCompleteFile:
      return application.review_state != ReviewState::kAwaitingPieces;
    case RankEvent::kCommitment:
      return committed;
  }
  return false;
}

absl::StatusOr<PlaceEvent> GiveRank(Application& application,
                                    const PlaceSituation& situation,
                                    int64_t last_rank) {
  application.rank = last_rank + 1;
  application.rank_time = situation.now;
  const bool within_capacity =
      situation.free() > 0 && situation.counts.waitlisted == 0;
  if (!within_capacity) {
    application.place_state = PlaceState::kWaitlisted;
    application.place_expire_time.reset();
    return EventOf(
        application, situation,
        Cat("Candidature reçue au rang ", application.rank, ". Les ",
            situation.cohort.capacity,
            " places sont prises ou attendues : inscription sur la liste "
            "d’attente."),
        Cat("Application received at rank ", application.rank, ". The ",
            situation.cohort.capacity,
            " places are taken or waited for: entered in the waiting list."));
  }
  application.place_state = PlaceState::kHeld;
  application.place_expire_time.reset();
  PlaceEvent event =
      EventOf(application, situation,
              Cat("Candidature reçue au rang ", application.rank,
                  ". Places déjà prises : ", situation.counts.taken(), " sur ",
                  situation.cohort.capacity, ". Une place est retenue."),
              Cat("Application received at rank ", application.rank,
                  ". Places taken before: ", situation.counts.taken(), " of ",
                  situation.cohort.capacity, ". A place is held."));
  RETURN_IF_ERROR(StartCommitmentDeadline(application, situation));
  return event;
}

absl::Status StartCommitmentDeadline(Application& application,
                                     const PlaceSituation& situation) {
  if (application.place_state != PlaceState::kHeld ||
      application.review_state != ReviewState::kAdmitted ||
      !Runs(situation.cohort)) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(application.place_expire_time,
                   CommitmentDeadline(situation));
  return absl::OkStatus();
}

absl::Status ResumeDeadline(Application& application,
                            const PlaceSituation& situation) {
  if (application.place_expire_time.has_value()) return absl::OkStatus();
  if (application.place_state != PlaceState::kAtRisk ||
      !Runs(situation.cohort)) {
    return StartCommitmentDeadline(application, situation);
  }
  ASSIGN_OR_RETURN(const rules::DatedRule rule,
                   RuleNow(situation, "place.at_risk"));
  application.place_expire_time = situation.now + absl::Hours(rule.value);
  return absl::OkStatus();
}

std::optional<PlaceEvent> Suspend(Application& application,
                                  const PlaceSituation& situation) {
  const bool waited = application.place_expire_time.has_value() ||
                      application.pieces_due_time.has_value();
  application.place_expire_time.reset();
  application.pieces_due_time.reset();
  if (application.place_state == PlaceState::kOffered) {
    application.place_state = PlaceState::kWaitlisted;
    return EventOf(application, situation,
                   Cat("La promotion est reportée : l’offre est suspendue, le "
                       "rang ",
                       application.rank, " est gardé."),
                   Cat("The cohort is put off: the offer is suspended, rank ",
                       application.rank, " is kept."));
  }
  if (!waited) return std::nullopt;
  return EventOf(application, situation,
                 "La promotion est reportée : la place est gardée, sans délai.",
                 "The cohort is put off: the place is kept, without deadline.");
}

bool MayOffer(const PlaceSituation& situation) {
  return Runs(situation.cohort) && situation.free() > 0 &&
         EntryIsOpen(situation.cohort, situation.now);
}

const Application* NextInLine(const std::vector<Application>& waitlisted,
                              const ApplicationName& passed) {
  const Application* next = nullptr;
  for (const Application& candidate : waitlisted) {
    const bool waits = candidate.place_state == PlaceState::kWaitlisted &&
                       candidate.review_state == ReviewState::kAdmitted &&
                       candidate.name != passed;
    if (waits && (next == nullptr || candidate.rank < next->rank)) {
      next = &candidate;
    }
  }
  return next;
}

absl::StatusOr<bool> PayerCanDecideInTime(const Payer& payer,
                                          const PlaceSituation& situation) {
  if (const Funder* funder = FindFunder(situation.cohort, payer.funder_id)) {
    return DecidesInTime(*funder, situation);
  }
  // The funder is not known yet: the strictest one of its kind counts.
  for (const Funder& funder : situation.cohort.funders) {
    if (funder.payer_kind != payer.kind) continue;
    ASSIGN_OR_RETURN(const bool in_time, DecidesInTime(funder, situation));
    if (!in_time) return false;
  }
  return true;
}

absl::StatusOr<PlaceEvent> Offer(Application& application,
                                 const PlaceSituation& situation) {
  ASSIGN_OR_RETURN(const rules::DatedRule validity,
                   RuleNow(situation, "place.offer_validity"));
  const int64_t hours =
      situation.cohort.offer_validity_hours.value_or(validity.value);
  const absl::Time cutoff =
      EndOfDay(situation.cohort, situation.cohort.entry_cutoff_date);
  application.place_state = PlaceState::kOffered;
  application.place_expire_time =
      std::min(situation.now + absl::Hours(hours), cutoff);
  ASSIGN_OR_RETURN(const bool in_time,
                   PayerCanDecideInTime(application.payer, situation));
  return EventOf(
      application, situation,
      Cat("Une place s’est libérée et vous est proposée, au rang ",
          application.rank, ", jusqu’au ",
          PrintFr(situation.cohort, *application.place_expire_time),
          in_time ? "."
                  : ". Votre financeur ne peut plus décider à temps : "
                    "acceptez à vos frais, ou passez sans perdre votre rang."),
      Cat("A place is free and offered to you, at rank ", application.rank,
          ", until ", PrintEn(situation.cohort, *application.place_expire_time),
          in_time ? "."
                  : ". Your funder can no longer decide in time: accept at "
                    "your own cost, or pass without losing your rank."),
      situation.cohort.offer_validity_hours.has_value() ? "" : Cite(validity));
}

absl::StatusOr<PlaceEvent> AcceptOffer(Application& application,
                                       const PlaceSituation& situation,
                                       bool at_own_cost) {
  RETURN_IF_ERROR(CheckOffered(application, situation));
  ASSIGN_OR_RETURN(const bool in_time,
                   PayerCanDecideInTime(application.payer, situation));
  if (!in_time && !at_own_cost) {
    return MakeError(Reason::kOwnChoiceNeeded,
                     {{"payer", std::string(NameOf(application.payer.kind))}});
  }
  if (at_own_cost) {
    application.payer = Payer();
    application.payer.kind = PayerKind::kIndividual;
  }
  application.place_state = PlaceState::kHeld;
  RETURN_IF_ERROR(StartCommitmentDeadline(application, situation));
  return EventOf(
      application, situation,
      at_own_cost ? "Place acceptée, à vos frais." : "Place acceptée.",
      at_own_cost ? "Place accepted, at your own cost." : "Place accepted.");
}

absl::StatusOr<PlaceEvent> DeclineOffer(Application& application,
                                        const PlaceSituation& situation,
                                        bool keep_rank) {
  RETURN_IF_ERROR(CheckOffered(application, situation));
  if (!keep_rank) {
    return Release(application, situation, "Place déclinée.",
                   "Place declined.");
  }
  application.place_state = PlaceState::kWaitlisted;
  application.place_expire_time.reset();
  return EventOf(
      application, situation,
      Cat("Vous passez votre tour et gardez le rang ", application.rank, "."),
      Cat("You pass and keep rank ", application.rank, "."));
}

absl::StatusOr<PlaceEvent> Confirm(Application& application,
                                   const PlaceSituation& situation,
                                   bool committed) {
  if (application.place_state != PlaceState::kHeld &&
      application.place_state != PlaceState::kAtRisk) {
    return NoPlace(application);
  }
  std::string missing;
  if (application.review_state != ReviewState::kAdmitted) {
    missing = "admission";
  }
  if (!committed) {
    missing = Cat(missing, missing.empty() ? "" : ", ",
                  "written commitment of the payer");
  }
  if (!missing.empty()) {
    return MakeError(Reason::kNotCommitted, {{"missing", missing}});
  }
  application.place_state = PlaceState::kConfirmed;
  application.place_expire_time.reset();
  return EventOf(application, situation,
                 "Admission et engagement écrit reçus : place confirmée.",
                 "Admitted and committed in writing: place confirmed.");
}

absl::StatusOr<PlaceEvent> AwaitNewPayer(Application& application,
                                         const PlaceSituation& situation) {
  application.place_state = PlaceState::kHeld;
  RETURN_IF_ERROR(StartCommitmentDeadline(application, situation));
  return EventOf(
      application, situation,
      "Changement de payeur : la place est retenue jusqu’à l’engagement écrit "
      "du nouveau payeur.",
      "Change of payer: the place is held until the new payer is committed in "
      "writing.");
}

absl::StatusOr<PlaceEvent> PutAtRisk(Application& application,
                                     const PlaceSituation& situation,
                                     const std::string& reason) {
  if (application.place_state != PlaceState::kHeld &&
      application.place_state != PlaceState::kConfirmed) {
    return NoPlace(application);
  }
  ASSIGN_OR_RETURN(const rules::DatedRule rule,
                   RuleNow(situation, "place.at_risk"));
  application.place_state = PlaceState::kAtRisk;
  application.place_expire_time = situation.now + absl::Hours(rule.value);
  return EventOf(
      application, situation,
      Cat(kFundingFailsFr, " (", reason, ")", kPlaceKeptFr,
          PrintFr(situation.cohort, *application.place_expire_time), "."),
      Cat(kFundingFailsEn, " (", reason, ")", kPlaceKeptEn,
          PrintEn(situation.cohort, *application.place_expire_time), "."),
      Cite(rule));
}

void EraseReason(PlaceEvent& event) {
  CutReason(event.text_fr, kFundingFailsFr, kPlaceKeptFr);
  CutReason(event.text_en, kFundingFailsEn, kPlaceKeptEn);
}

PlaceEvent Release(Application& application, const PlaceSituation& situation,
                   std::string_view why_fr, std::string_view why_en) {
  application.place_state = PlaceState::kReleased;
  application.place_expire_time.reset();
  application.pieces_due_time.reset();
  return EventOf(application, situation, std::string(why_fr),
                 std::string(why_en));
}

bool IsDue(const Application& application, absl::Time now) {
  const bool place_due = application.place_expire_time.has_value() &&
                         *application.place_expire_time <= now;
  const bool pieces_due = application.pieces_due_time.has_value() &&
                          *application.pieces_due_time <= now;
  return place_due || pieces_due;
}

PlaceEvent Lapse(Application& application, const PlaceSituation& situation) {
  if (application.pieces_due_time.has_value() &&
      *application.pieces_due_time <= situation.now) {
    application.pieces_due_time.reset();
    application.rank = 0;
    application.rank_time.reset();
    PlaceEvent event = Release(
        application, situation,
        "La pièce redemandée n’est pas arrivée à temps : le rang est perdu.",
        "The piece asked again has not come in time: the rank is lost.");
    application.place_state = PlaceState::kNone;
    event.place_state = application.place_state;
    return event;
  }
  switch (application.place_state) {
    case PlaceState::kOffered:
      return Release(application, situation,
                     "L’offre est restée sans réponse : elle a expiré.",
                     "The offer was not answered: it has expired.");
    case PlaceState::kAtRisk:
      return Release(
          application, situation,
          "Aucune solution de financement à temps : la place est libérée.",
          "No funding in time: the place is given up.");
    default:
      return Release(
          application, situation,
          "L’engagement écrit n’est pas arrivé à temps : la place est libérée.",
          "The written commitment has not come in time: the place is given "
          "up.");
  }
}

}  // namespace parcours::enrolment
