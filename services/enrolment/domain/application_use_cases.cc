#include "services/enrolment/domain/application_use_cases.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "services/enrolment/domain/locked_place.h"
#include "services/enrolment/domain/place.h"

namespace parcours::enrolment {
namespace {

constexpr char kChangeOfPayer[] = "Changement de payeur.";

std::string_view ActionOf(const access::Caller& caller) {
  const std::string_view method = caller.method;
  return method.substr(method.rfind('/') + 1);
}

absl::StatusOr<ApplicationView> ViewOf(EnrolmentUnit& unit,
                                       const Programme& programme,
                                       const Application& application) {
  ApplicationView view{.application = application,
                       .missing_pieces = MissingPieces(application, programme)};
  if (application.place_state == PlaceState::kWaitlisted) {
    ASSIGN_OR_RETURN(
        const int64_t before,
        unit.CountWaitingBefore(application.cohort, application.rank));
    view.waiting_position = before + 1;
  }
  return view;
}

absl::StatusOr<Programme> ProgrammeOf(EnrolmentUnit& unit,
                                      const access::Caller& caller,
                                      const CohortName& cohort) {
  ASSIGN_OR_RETURN(const Cohort found,
                   unit.cohorts().Get(caller.scope, cohort));
  return unit.programmes().Get(caller.scope, found.programme);
}

absl::Status CheckReason(const std::string& reason) {
  if (!absl::StripAsciiWhitespace(reason).empty()) return absl::OkStatus();
  return MakeFieldError("reason", Reason::kReasonRequired);
}

absl::Status CheckDecision(const Decision& decision) {
  FieldViolations violations;
  Validate(decision, /*reason_required=*/true, violations);
  return violations.ToStatus();
}

// `organisation` is what the record has under the name that the payer gives.
absl::Status CheckOrganisation(const CohortName& cohort, const Payer& payer,
                               const std::optional<Organisation>& organisation,
                               std::string_view field) {
  if (payer.organisation.empty()) return absl::OkStatus();
  if (organisation.has_value() && payer.organisation.body() == cohort.body()) {
    return absl::OkStatus();
  }
  return MakeFieldError(field, Reason::kUnknownReference);
}

std::string PieceField(std::size_t index) {
  return Cat("pieces[", index, "].upload");
}

// What the record has of what a submission names is read together.
SubmissionReferences ReferencesOf(const Application& application,
                                  const std::vector<NewPiece>& pieces) {
  SubmissionReferences references{
      .person = application.person,
      .candidate_key = application.candidate_key,
      .organisation = application.payer.organisation};
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    references.uploads.emplace_back(pieces[i].upload, PieceField(i));
  }
  return references;
}

// A file sent to the body of the person whose it becomes.
absl::StatusOr<FinishedUpload> Claim(EnrolmentUnit& unit,
                                     const access::Caller& caller,
                                     const PersonName& person,
                                     const UploadName& upload,
                                     std::string_view field) {
  if (upload.body() != person.body()) {
    return MakeFieldError(field, Reason::kUnknownReference);
  }
  return unit.ClaimUpload(caller.scope, upload, person, field);
}

// A course that is over or given up gives no more ranks.
bool GivesRanks(const Cohort& cohort) {
  return Runs(cohort) || cohort.state == CohortState::kPostponed;
}

// Gives a rank once its event has come about.
absl::Status RankIfEarned(EnrolmentUnit& unit, const LockedPlaces& places,
                          const PlaceSituation& situation,
                          Application& application) {
  if (!GivesRanks(places.cohort) ||
      !EarnsRank(application, places.programme.rank_event,
                 /*committed=*/false)) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const PlaceEvent event,
                   GiveRank(application, situation, places.last_rank));
  unit.Append(event);
  return absl::OkStatus();
}

// One change of one application under the lock of its cohort: `decide` changes
// the application, appends to its story, and what it frees is offered on.
absl::StatusOr<ApplicationView> ChangeApplication(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const ApplicationName& name,
    const std::string& etag,
    absl::FunctionRef<absl::Status(EnrolmentUnit&, LockedPlace&)> decide) {
  std::optional<ApplicationView> view;
  ASSIGN_OR_RETURN(
      const ChangeOutcome outcome,
      store.Change(
          caller, [&](EnrolmentUnit& unit) -> absl::StatusOr<std::string> {
            ASSIGN_OR_RETURN(
                LockedPlace locked,
                LockPlace(unit, rules, caller, name, ActionOf(caller)));
            RETURN_IF_ERROR(
                CheckEtag(etag, name.text(), locked.application.version));
            RETURN_IF_ERROR(decide(unit, locked));
            RETURN_IF_ERROR(SettlePlace(unit, caller, locked));
            ASSIGN_OR_RETURN(view, ViewOf(unit, locked.places.programme,
                                          locked.application));
            return name.text();
          }));
  if (outcome.replayed) return GetApplication(store, caller, name);
  // A place that became free may have been offered to this very application.
  if (view->application.place_state == PlaceState::kWaitlisted) {
    return GetApplication(store, caller, name);
  }
  return *std::move(view);
}

// OK while the participation, if there is one, has not been completed: the
// payment of what was followed to its end is settled apart from the place.
absl::Status CheckNotCompleted(EnrolmentUnit& unit,
                               const access::Caller& caller,
                               const ApplicationName& name,
                               std::string_view action) {
  ASSIGN_OR_RETURN(const std::optional<Enrolment> enrolment,
                   unit.EnrolmentOf(caller.scope, name));
  if (!enrolment.has_value() ||
      enrolment->state != EnrolmentState::kCompleted) {
    return absl::OkStatus();
  }
  return MakeError(Reason::kIllegalTransition,
                   {{"resource", enrolment->name.text()},
                    {"state", std::string(NameOf(enrolment->state))},
                    {"action", std::string(action)}});
}

// Frees the place, if there is one, and says why.
void ReleaseIfPlaced(EnrolmentUnit& unit, LockedPlace& locked,
                     std::string_view why_fr, std::string_view why_en) {
  if (locked.application.place_state == PlaceState::kNone ||
      locked.application.place_state == PlaceState::kReleased) {
    return;
  }
  unit.Append(Release(locked.application, locked.Situation(), why_fr, why_en));
}

// Another funder of the same payer is no change of agreement.
absl::Status KeepFunder(EnrolmentUnit& unit, const access::Caller& caller,
                        const Application& application) {
  ASSIGN_OR_RETURN(std::optional<Enrolment> enrolment,
                   unit.EnrolmentOf(caller.scope, application.name));
  if (!enrolment.has_value() || !IsActive(*enrolment) ||
      enrolment->funder_id == application.payer.funder_id) {
    return absl::OkStatus();
  }
  enrolment->funder_id = application.payer.funder_id;
  unit.enrolments().Update(*enrolment);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ApplicationView> SubmitApplication(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const CohortName& cohort,
    Application application, const std::vector<NewPiece>& pieces, Mode mode) {
  std::optional<ApplicationView> view;
  const absl::StatusOr<ChangeOutcome> outcome = store.Change(
      caller, [&](EnrolmentUnit& unit) -> absl::StatusOr<std::string> {
        view.reset();
        Application received = application;
        received.cohort = cohort;
        received.candidate_key = CandidateKey(received);
        received.person =
            ChildName<PersonName>(BodyName::FromRecord(cohort.body()),
                                  "persons", NewUuidV7(caller.now));
        ASSIGN_OR_RETURN(const LockedSubmission locked,
                         unit.LockSubmission(caller.scope, cohort,
                                             ReferencesOf(received, pieces)));
        const LockedPlaces& places = locked.places;
        RETURN_IF_ERROR(CheckReceivesApplications(places.cohort, caller.now));
        FieldViolations violations;
        Validate(application, places.cohort, violations);
        violations.AddError(
            "application.payer.organisation",
            CheckOrganisation(cohort, application.payer, locked.organisation,
                              "application.payer.organisation"));
        RETURN_IF_ERROR(violations.ToStatus());
        if (locked.known.has_value()) {
          return MakeError(Reason::kAlreadyApplied);
        }

        if (caller.scope.is_own()) received.account = caller.principal.subject;
        received.name = ChildName<ApplicationName>(cohort, "applications",
                                                   NewUuidV7(caller.now));
        received.submit_time = caller.now;
        ASSIGN_OR_RETURN(const rules::DatedRule volunteering_counts,
                         rules.AsOf("admission.volunteering_counts",
                                    LocalDay(places.cohort, caller.now)));
        received.meets_access_conditions = MeetsAccessConditions(
            received.qualification, places.programme.access_conditions,
            volunteering_counts);

        Person person;
        person.name = received.person;
        person.given_name = received.given_name;
        person.family_name = received.family_name;
        person.email = received.email;
        person.phone = received.phone;
        unit.persons().Insert(person);

        if (MissingPieces(received, places.programme).empty()) {
          received.review_state = ReviewState::kReceived;
        }
        for (std::size_t i = 0; i < pieces.size(); ++i) {
          if (pieces[i].upload.body() != cohort.body()) {
            return MakeFieldError(PieceField(i), Reason::kUnknownReference);
          }
          ASSIGN_OR_RETURN(const FinishedUpload upload, locked.uploads[i]);
          RETURN_IF_ERROR(AttachPiece(received, places.programme,
                                      {.kind = pieces[i].kind,
                                       .upload = upload.name,
                                       .sha256 = upload.sha256,
                                       .attach_time = caller.now}));
        }
        RETURN_IF_ERROR(RankIfEarned(unit, places,
                                     {.cohort = places.cohort,
                                      .counts = places.counts,
                                      .now = caller.now,
                                      .cause = std::string(ActionOf(caller)),
                                      .rules = rules},
                                     received));
        unit.applications().Insert(received);
        view = ApplicationView{
            .application = received,
            .missing_pieces = MissingPieces(received, places.programme),
            .waiting_position = received.place_state == PlaceState::kWaitlisted
                                    ? places.counts.waitlisted + 1
                                    : 0};
        if (mode == Mode::kValidateOnly) return absl::CancelledError();
        return received.name.text();
      });
  if (mode == Mode::kValidateOnly && view.has_value()) return *std::move(view);
  if (!outcome.ok()) return outcome.status();
  if (!outcome->replayed) return *std::move(view);
  return GetApplication(store, caller,
                        ApplicationName::FromRecord(outcome->name));
}

absl::StatusOr<ApplicationView> GetApplication(EnrolmentStore& store,
                                               const access::Caller& caller,
                                               const ApplicationName& name) {
  std::optional<ApplicationView> view;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(const Application application,
                     unit.applications().Get(caller.scope, name));
    ASSIGN_OR_RETURN(const Programme programme,
                     ProgrammeOf(unit, caller, application.cohort));
    ASSIGN_OR_RETURN(view, ViewOf(unit, programme, application));
    return absl::OkStatus();
  }));
  return *std::move(view);
}

absl::StatusOr<Page<ApplicationView>> ListApplications(
    EnrolmentStore& store, const access::Caller& caller,
    const CohortName& cohort, const ApplicationFilter& filter,
    const PageRequest& request) {
  Page<ApplicationView> views;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    views.items.clear();
    ASSIGN_OR_RETURN(views.feed_position, unit.FeedPosition());
    ASSIGN_OR_RETURN(const Programme programme,
                     ProgrammeOf(unit, caller, cohort));
    ASSIGN_OR_RETURN(
        Page<Application> page,
        unit.ListApplications(caller.scope, cohort, filter, request));
    ASSIGN_OR_RETURN(const std::vector<int64_t> waiting,
                     unit.WaitingRanks(cohort));
    for (Application& application : page.items) {
      ApplicationView view;
      view.missing_pieces = MissingPieces(application, programme);
      if (application.place_state == PlaceState::kWaitlisted) {
        view.waiting_position =
            1 + std::count_if(
                    waiting.begin(), waiting.end(),
                    [&](int64_t rank) { return rank < application.rank; });
      }
      view.application = std::move(application);
      views.items.push_back(std::move(view));
    }
    views.next_key = std::move(page.next_key);
    return absl::OkStatus();
  }));
  return views;
}

absl::StatusOr<ApplicationView> AttachPiece(EnrolmentStore& store,
                                            const rules::RuleBook& rules,
                                            const access::Caller& caller,
                                            const ApplicationName& name,
                                            const NewPiece& piece) {
  return ChangeApplication(
      store, rules, caller, name, /*etag=*/"",
      [&](EnrolmentUnit& unit, LockedPlace& locked) -> absl::Status {
        ASSIGN_OR_RETURN(const FinishedUpload upload,
                         Claim(unit, caller, locked.application.person,
                               piece.upload, "piece.upload"));
        RETURN_IF_ERROR(AttachPiece(locked.application, locked.places.programme,
                                    {.kind = piece.kind,
                                     .upload = upload.name,
                                     .sha256 = upload.sha256,
                                     .attach_time = caller.now}));
        return RankIfEarned(unit, locked.places, locked.Situation(),
                            locked.application);
      });
}

absl::StatusOr<ApplicationView> RequestPiece(EnrolmentStore& store,
                                             const rules::RuleBook& rules,
                                             const access::Caller& caller,
                                             const ApplicationName& name,
                                             PieceKind kind,
                                             const std::string& reason) {
  RETURN_IF_ERROR(CheckReason(reason));
  return ChangeApplication(
      store, rules, caller, name, /*etag=*/"",
      [&](EnrolmentUnit&, LockedPlace& locked) -> absl::Status {
        const Cohort& cohort = locked.places.cohort;
        ASSIGN_OR_RETURN(const rules::DatedRule grace,
                         rules.AsOf("application.unreadable_piece_grace",
                                    LocalDay(cohort, caller.now)));
        return RequestPiece(locked.application, cohort, kind, grace,
                            caller.now);
      });
}

absl::StatusOr<ApplicationView> AdmitApplication(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const ApplicationName& name,
    const Decision& decision, const std::string& derogation_proof,
    const std::string& etag) {
  RETURN_IF_ERROR(CheckDecision(decision));
  return ChangeApplication(
      store, rules, caller, name, etag,
      [&](EnrolmentUnit& unit, LockedPlace& locked) -> absl::Status {
        RETURN_IF_ERROR(Admit(locked.application, locked.places.programme,
                              decision, derogation_proof, caller.now));
        ASSIGN_OR_RETURN(const bool is_signed,
                         HasSignedAgreement(unit, caller, name));
        if (is_signed) return absl::OkStatus();
        return StartCommitmentDeadline(locked.application, locked.Situation());
      });
}

absl::StatusOr<ApplicationView> RefuseApplication(EnrolmentStore& store,
                                                  const rules::RuleBook& rules,
                                                  const access::Caller& caller,
                                                  const ApplicationName& name,
                                                  const Decision& decision,
                                                  const std::string& etag) {
  RETURN_IF_ERROR(CheckDecision(decision));
  return ChangeApplication(
      store, rules, caller, name, etag,
      [&](EnrolmentUnit& unit, LockedPlace& locked) -> absl::Status {
        RETURN_IF_ERROR(Refuse(locked.application, decision, caller.now));
        ReleaseIfPlaced(unit, locked,
                        "Candidature refusée par une personne nommée.",
                        "Application refused by a named person.");
        return EndParticipation(unit, caller, locked.places.cohort, name,
                                decision.reason);
      });
}

absl::StatusOr<ApplicationView> ReopenApplication(EnrolmentStore& store,
                                                  const rules::RuleBook& rules,
                                                  const access::Caller& caller,
                                                  const ApplicationName& name,
                                                  const Decision& decision,
                                                  const std::string& etag) {
  RETURN_IF_ERROR(CheckDecision(decision));
  return ChangeApplication(
      store, rules, caller, name, etag,
      [&](EnrolmentUnit& unit, LockedPlace& locked) -> absl::Status {
        Application& application = locked.application;
        RETURN_IF_ERROR(Reopen(application));
        if (!GivesRanks(locked.places.cohort)) {
          return CheckRuns(locked.places.cohort);
        }
        if (!MissingPieces(application, locked.places.programme).empty()) {
          application.review_state = ReviewState::kAwaitingPieces;
        }
        if (application.place_state == PlaceState::kReleased) {
          // The place was given on: the application comes back as the last.
          application.rank = 0;
          application.rank_time.reset();
          application.place_state = PlaceState::kNone;
        }
        return RankIfEarned(unit, locked.places, locked.Situation(),
                            application);
      });
}

absl::StatusOr<ApplicationView> WithdrawApplication(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const ApplicationName& name,
    const std::string& reason, const std::string& etag) {
  return ChangeApplication(
      store, rules, caller, name, etag,
      [&](EnrolmentUnit& unit, LockedPlace& locked) -> absl::Status {
        RETURN_IF_ERROR(Withdraw(locked.application));
        locked.application.decision.reason = reason;
        ReleaseIfPlaced(unit, locked, "Candidature retirée.",
                        "Application withdrawn.");
        return EndParticipation(
            unit, caller, locked.places.cohort, name,
            reason.empty() ? "Candidature retirée." : reason);
      });
}

absl::StatusOr<ApplicationView> AcceptPlaceOffer(EnrolmentStore& store,
                                                 const rules::RuleBook& rules,
                                                 const access::Caller& caller,
                                                 const ApplicationName& name,
                                                 bool at_own_cost) {
  return ChangeApplication(
      store, rules, caller, name, /*etag=*/"",
      [&](EnrolmentUnit& unit, LockedPlace& locked) -> absl::Status {
        ASSIGN_OR_RETURN(
            const PlaceEvent event,
            AcceptOffer(locked.application, locked.Situation(), at_own_cost));
        unit.Append(event);
        if (!at_own_cost) return absl::OkStatus();
        return EndAgreements(unit, caller, name, kChangeOfPayer);
      });
}

absl::StatusOr<ApplicationView> DeclinePlaceOffer(EnrolmentStore& store,
                                                  const rules::RuleBook& rules,
                                                  const access::Caller& caller,
                                                  const ApplicationName& name,
                                                  bool keep_rank) {
  return ChangeApplication(
      store, rules, caller, name, /*etag=*/"",
      [&](EnrolmentUnit& unit, LockedPlace& locked) -> absl::Status {
        ASSIGN_OR_RETURN(
            const PlaceEvent event,
            DeclineOffer(locked.application, locked.Situation(), keep_rank));
        unit.Append(event);
        return absl::OkStatus();
      });
}

absl::StatusOr<ApplicationView> ChangePayer(EnrolmentStore& store,
                                            const rules::RuleBook& rules,
                                            const access::Caller& caller,
                                            const ApplicationName& name,
                                            const Payer& payer,
                                            const std::string& etag) {
  return ChangeApplication(
      store, rules, caller, name, etag,
      [&](EnrolmentUnit& unit, LockedPlace& locked) -> absl::Status {
        Application& application = locked.application;
        if (application.review_state == ReviewState::kRefused ||
            application.review_state == ReviewState::kWithdrawn) {
          return IllegalReview(application, "ChangePayer");
        }
        RETURN_IF_ERROR(CheckPayer(payer, locked.places.cohort, "payer."));
        std::optional<Organisation> organisation;
        if (!payer.organisation.empty()) {
          ASSIGN_OR_RETURN(organisation,
                           unit.organisations().Find(caller.scope.Whole(),
                                                     payer.organisation));
        }
        RETURN_IF_ERROR(CheckOrganisation(application.cohort, payer,
                                          organisation, "payer.organisation"));
        RETURN_IF_ERROR(CheckNotCompleted(unit, caller, name, "ChangePayer"));
        const bool same_party = IsSameParty(application.payer, payer);
        application.payer = payer;
        if (same_party) return KeepFunder(unit, caller, application);
        RETURN_IF_ERROR(EndAgreements(unit, caller, name, kChangeOfPayer));
        if (application.place_state != PlaceState::kConfirmed) {
          return ResumeDeadline(application, locked.Situation());
        }
        ASSIGN_OR_RETURN(const PlaceEvent event,
                         AwaitNewPayer(application, locked.Situation()));
        unit.Append(event);
        return absl::OkStatus();
      });
}

absl::StatusOr<ApplicationView> ReportFundingFailure(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const ApplicationName& name,
    const std::string& reason) {
  RETURN_IF_ERROR(CheckReason(reason));
  return ChangeApplication(
      store, rules, caller, name, /*etag=*/"",
      [&](EnrolmentUnit& unit, LockedPlace& locked) -> absl::Status {
        RETURN_IF_ERROR(
            CheckNotCompleted(unit, caller, name, "ReportFundingFailure"));
        ASSIGN_OR_RETURN(
            const PlaceEvent event,
            PutAtRisk(locked.application, locked.Situation(), reason));
        unit.Append(event);
        return absl::OkStatus();
      });
}

absl::StatusOr<PlaceExplanation> ExplainPlace(EnrolmentStore& store,
                                              const access::Caller& caller,
                                              const ApplicationName& name) {
  PlaceExplanation explanation;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(explanation.application,
                     unit.applications().Get(caller.scope, name));
    ASSIGN_OR_RETURN(explanation.events, unit.PlaceEvents(caller.scope, name));
    if (explanation.application.place_state == PlaceState::kWaitlisted) {
      ASSIGN_OR_RETURN(const int64_t before,
                       unit.CountWaitingBefore(explanation.application.cohort,
                                               explanation.application.rank));
      explanation.waiting_position = before + 1;
    }
    return absl::OkStatus();
  }));
  return explanation;
}

}  // namespace parcours::enrolment
