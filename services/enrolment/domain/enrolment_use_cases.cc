#include "services/enrolment/domain/enrolment_use_cases.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "services/enrolment/domain/erasure.h"
#include "services/enrolment/domain/external_ids.h"
#include "services/enrolment/domain/locked_place.h"
#include "services/enrolment/domain/place.h"
#include "services/enrolment/domain/waiting_list.h"

namespace parcours::enrolment {
namespace {

absl::Status CheckReason(const std::string& reason) {
  if (!absl::StripAsciiWhitespace(reason).empty()) return absl::OkStatus();
  return MakeFieldError("reason", Reason::kReasonRequired);
}

bool HasPlace(PlaceState state) {
  return state == PlaceState::kHeld || state == PlaceState::kConfirmed ||
         state == PlaceState::kAtRisk;
}

bool IsLive(const Agreement& agreement) {
  return agreement.state == AgreementState::kDraft ||
         agreement.state == AgreementState::kSigned ||
         agreement.state == AgreementState::kBinding;
}

CourseProgress ProgressOf(const Cohort& cohort) {
  return {.start = cohort.start_date, .end = cohort.end_date};
}

// One change of one agreement, which touches no place.
absl::StatusOr<Agreement> ChangeAgreement(
    EnrolmentStore& store, const access::Caller& caller,
    const AgreementName& name, const std::string& etag,
    absl::FunctionRef<absl::Status(const Cohort&, Agreement&)> change) {
  return ChangeResource<Agreement>(
      store, caller, &EnrolmentUnit::agreements,
      [&](EnrolmentUnit& unit) -> absl::StatusOr<Agreement> {
        ASSIGN_OR_RETURN(Agreement agreement,
                         unit.agreements().Lock(caller.scope, name));
        RETURN_IF_ERROR(CheckEtag(etag, name.text(), agreement.version));
        ASSIGN_OR_RETURN(const Application application,
                         unit.applications().Get(caller.scope.Whole(),
                                                 agreement.application));
        RETURN_IF_ERROR(CheckNotErased(application));
        ASSIGN_OR_RETURN(const Cohort cohort,
                         unit.cohorts().Get(caller.scope, agreement.cohort));
        RETURN_IF_ERROR(change(cohort, agreement));
        unit.agreements().Update(agreement);
        return agreement;
      });
}

absl::StatusOr<Enrolment> ChangeEnrolment(
    EnrolmentStore& store, const access::Caller& caller,
    const EnrolmentName& name,
    absl::FunctionRef<absl::Status(const Cohort&, Enrolment&)> change) {
  return ChangeResource<Enrolment>(
      store, caller, &EnrolmentUnit::enrolments,
      [&](EnrolmentUnit& unit) -> absl::StatusOr<Enrolment> {
        ASSIGN_OR_RETURN(Enrolment enrolment,
                         unit.enrolments().Lock(caller.scope, name));
        RETURN_IF_ERROR(CheckNotErased(enrolment));
        ASSIGN_OR_RETURN(const Cohort cohort,
                         unit.cohorts().Get(caller.scope, enrolment.cohort));
        RETURN_IF_ERROR(change(cohort, enrolment));
        unit.enrolments().Update(enrolment);
        return enrolment;
      });
}

// Whether the payer's written commitment is on record.
absl::StatusOr<bool> IsCommitted(EnrolmentUnit& unit,
                                 const access::Caller& caller,
                                 const Application& application,
                                 const Commitment& commitment) {
  if (!Commits(commitment.kind, application.payer.kind)) return false;
  if (commitment.kind != CommitmentKind::kSignedAgreement) return true;
  return HasSignedAgreement(unit, caller, application.name);
}

Enrolment EnrolmentFor(const Application& application,
                       const Commitment& commitment, absl::Time now) {
  Enrolment enrolment;
  enrolment.name = ChildName<EnrolmentName>(application.cohort, "enrolments",
                                            NewUuidV7(now));
  enrolment.cohort = application.cohort;
  enrolment.application = application.name;
  enrolment.person = application.person;
  enrolment.payer_kind = application.payer.kind;
  enrolment.organisation = application.payer.organisation;
  enrolment.funder_id = application.payer.funder_id;
  enrolment.commitment = commitment.kind;
  enrolment.commitment_reference = commitment.reference;
  enrolment.enrol_time = now;
  return enrolment;
}

// The convention holds the place: it goes on with the newcomer, who needs no
// other agreement.
absl::Status HandConventionOn(EnrolmentUnit& unit, const access::Caller& caller,
                              const ApplicationName& leaving,
                              const ApplicationName& newcomer) {
  RETURN_IF_ERROR(EndAgreements(unit, caller, newcomer,
                                "La convention de l’employeur y pourvoit."));
  ASSIGN_OR_RETURN(std::vector<Agreement> agreements,
                   unit.AgreementsOf(caller.scope, leaving));
  for (Agreement& agreement : agreements) {
    if (!IsLive(agreement)) continue;
    agreement.application = newcomer;
    unit.agreements().Update(agreement);
  }
  return absl::OkStatus();
}

absl::Status CheckEntryOpen(const Cohort& cohort, absl::Time now) {
  if (EntryIsOpen(cohort, now)) return absl::OkStatus();
  return MakeError(
      Reason::kEntryCutoffPassed,
      {{"cutoff", absl::FormatCivilTime(cohort.entry_cutoff_date)}});
}

}  // namespace

absl::StatusOr<Agreement> CreateAgreement(EnrolmentStore& store,
                                          const access::Caller& caller,
                                          const ApplicationName& name,
                                          std::vector<ExternalId> external_ids,
                                          Mode mode) {
  FieldViolations violations;
  Validate(external_ids, "agreement.", violations);
  RETURN_IF_ERROR(violations.ToStatus());
  return ChangeResource<Agreement>(
      store, caller, &EnrolmentUnit::agreements,
      [&](EnrolmentUnit& unit) -> absl::StatusOr<Agreement> {
        ASSIGN_OR_RETURN(
            const Cohort cohort,
            unit.cohorts().Get(caller.scope, name.Under<CohortName>()));
        ASSIGN_OR_RETURN(const Application application,
                         unit.applications().Lock(caller.scope, name));
        RETURN_IF_ERROR(CheckNotErased(application));
        ASSIGN_OR_RETURN(const Programme programme,
                         unit.programmes().Get(caller.scope, cohort.programme));
        // Where the commitment gives the rank, it comes before any place.
        const bool before_place =
            programme.rank_event == RankEvent::kCommitment &&
            application.place_state == PlaceState::kNone &&
            application.review_state != ReviewState::kRefused &&
            application.review_state != ReviewState::kWithdrawn;
        const PlaceState place = IsDue(application, caller.now)
                                     ? PlaceState::kReleased
                                     : application.place_state;
        if (!HasPlace(place) && !before_place) {
          return MakeError(Reason::kNoPlace,
                           {{"state", std::string(NameOf(place))}});
        }
        ASSIGN_OR_RETURN(const std::vector<Agreement> agreements,
                         unit.AgreementsOf(caller.scope, name));
        auto live = std::find_if(agreements.begin(), agreements.end(), IsLive);
        if (live != agreements.end()) {
          return MakeError(Reason::kIllegalTransition,
                           {{"resource", live->name.text()},
                            {"state", std::string(NameOf(live->state))},
                            {"action", "CreateAgreement"}});
        }
        Agreement agreement;
        agreement.name =
            ChildName<AgreementName>(BodyName::FromRecord(name.body()),
                                     "agreements", NewUuidV7(caller.now));
        agreement.application = name;
        agreement.cohort = application.cohort;
        agreement.kind = KindFor(application.payer.kind);
        agreement.payer_kind = application.payer.kind;
        agreement.organisation = application.payer.organisation;
        ASSIGN_OR_RETURN(agreement.price_cents,
                         PriceFor(cohort, application.payer.kind));
        agreement.external_ids = external_ids;
        RETURN_IF_ERROR(ClaimExternalIds(unit, agreement.name.text(),
                                         external_ids, "agreement."));
        unit.agreements().Insert(agreement);
        return agreement;
      },
      mode);
}

absl::StatusOr<Agreement> SignAgreement(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const access::Caller& signing, const AgreementName& name,
    const std::string& signatory, bool at_distance, const std::string& etag) {
  // An employer signs without seeing the application.
  ASSIGN_OR_RETURN(
      const access::Caller caller,
      WithinBody(store, signing, &EnrolmentUnit::agreements, name));
  return ChangeResource<Agreement>(
      store, caller, &EnrolmentUnit::agreements,
      [&](EnrolmentUnit& unit) -> absl::StatusOr<Agreement> {
        ASSIGN_OR_RETURN(const Agreement drawn_up,
                         unit.agreements().Get(caller.scope, name));
        ASSIGN_OR_RETURN(LockedPlace locked,
                         LockPlace(unit, rules, caller, drawn_up.application,
                                   "SignAgreement"));
        ASSIGN_OR_RETURN(Agreement agreement,
                         unit.agreements().Lock(caller.scope, name));
        RETURN_IF_ERROR(CheckEtag(etag, name.text(), agreement.version));
        const absl::CivilDay today = LocalDay(locked.places.cohort, caller.now);
        RETURN_IF_ERROR(
            Sign(agreement, signatory, at_distance, today, caller.now, rules));
        if (EarnsRank(locked.application, locked.places.programme.rank_event,
                      /*committed=*/true)) {
          ASSIGN_OR_RETURN(const PlaceEvent event,
                           GiveRank(locked.application, locked.Situation(),
                                    locked.places.last_rank));
          unit.Append(event);
        }
        // The payer is committed in time: nothing runs against the place.
        if (HasPlace(locked.application.place_state)) {
          locked.application.place_expire_time.reset();
        }
        unit.applications().Update(locked.application);
        unit.agreements().Update(agreement);
        return agreement;
      });
}

absl::StatusOr<Agreement> WithdrawFromAgreement(EnrolmentStore& store,
                                                const rules::RuleBook& rules,
                                                const access::Caller& caller,
                                                const AgreementName& name) {
  return ChangeResource<Agreement>(
      store, caller, &EnrolmentUnit::agreements,
      [&](EnrolmentUnit& unit) -> absl::StatusOr<Agreement> {
        ASSIGN_OR_RETURN(const Agreement known,
                         unit.agreements().Get(caller.scope, name));
        ASSIGN_OR_RETURN(LockedPlace locked,
                         LockPlace(unit, rules, caller, known.application,
                                   "WithdrawFromAgreement"));
        ASSIGN_OR_RETURN(Agreement agreement,
                         unit.agreements().Lock(caller.scope, name));
        const absl::CivilDay today = LocalDay(locked.places.cohort, caller.now);
        RETURN_IF_ERROR(WithdrawFrom(agreement, today));
        unit.agreements().Update(agreement);
        ASSIGN_OR_RETURN(std::optional<Enrolment> enrolment,
                         unit.EnrolmentOf(caller.scope, agreement.application));
        if (enrolment.has_value() && IsActive(*enrolment)) {
          RETURN_IF_ERROR(EndEarly(
              *enrolment, {.state = EnrolmentState::kWithdrawn,
                           .reason = "Rétractation dans le délai légal.",
                           .force_majeure = false,
                           .last_day = today}));
          unit.enrolments().Update(*enrolment);
        }
        if (locked.application.place_state != PlaceState::kNone &&
            locked.application.place_state != PlaceState::kReleased) {
          unit.Append(Release(locked.application, locked.Situation(),
                              "Rétractation dans le délai légal.",
                              "Withdrawal inside the legal period."));
          RETURN_IF_ERROR(SettlePlace(unit, caller, locked));
        }
        return agreement;
      });
}

namespace {

// What the end of a signed agreement does to the place that it carried: before
// the start it takes a confirmed one away, a held one waits for another.
absl::Status FollowEndOfAgreement(EnrolmentUnit& unit,
                                  const access::Caller& caller,
                                  LockedPlace& locked,
                                  const std::string& reason) {
  Application& application = locked.application;
  ASSIGN_OR_RETURN(std::optional<Enrolment> enrolment,
                   unit.EnrolmentOf(caller.scope, application.name));
  if (application.place_state != PlaceState::kConfirmed) {
    RETURN_IF_ERROR(ResumeDeadline(application, locked.Situation()));
    return SettlePlace(unit, caller, locked);
  }
  if (!enrolment.has_value() || enrolment->state != EnrolmentState::kEnrolled ||
      enrolment->commitment != CommitmentKind::kSignedAgreement) {
    return absl::OkStatus();
  }
  LosePlace(*enrolment, reason, LocalDay(locked.places.cohort, caller.now));
  unit.enrolments().Update(*enrolment);
  unit.Append(Release(application, locked.Situation(),
                      "Engagement résilié par l’organisme avant le début.",
                      "Agreement ended by the body before the start."));
  return SettlePlace(unit, caller, locked);
}

}  // namespace

absl::StatusOr<Agreement> EndAgreement(EnrolmentStore& store,
                                       const rules::RuleBook& rules,
                                       const access::Caller& caller,
                                       const AgreementName& name,
                                       const std::string& reason) {
  RETURN_IF_ERROR(CheckReason(reason));
  return ChangeResource<Agreement>(
      store, caller, &EnrolmentUnit::agreements,
      [&](EnrolmentUnit& unit) -> absl::StatusOr<Agreement> {
        ASSIGN_OR_RETURN(const Agreement known,
                         unit.agreements().Get(caller.scope, name));
        ASSIGN_OR_RETURN(
            LockedPlace locked,
            LockPlace(unit, rules, caller, known.application, "EndAgreement"));
        ASSIGN_OR_RETURN(Agreement agreement,
                         unit.agreements().Lock(caller.scope, name));
        const bool was_signed = IsSigned(agreement);
        RETURN_IF_ERROR(End(agreement, reason));
        unit.agreements().Update(agreement);
        if (was_signed) {
          RETURN_IF_ERROR(FollowEndOfAgreement(unit, caller, locked, reason));
        }
        return agreement;
      });
}

absl::StatusOr<AgreementGate> GetPaymentGate(EnrolmentStore& store,
                                             const rules::RuleBook& rules,
                                             const access::Caller& caller,
                                             const AgreementName& name) {
  AgreementGate answer;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(answer.agreement,
                     unit.agreements().Get(caller.scope, name));
    ASSIGN_OR_RETURN(const Cohort cohort,
                     unit.cohorts().Get(caller.scope, answer.agreement.cohort));
    ASSIGN_OR_RETURN(answer.gate,
                     PaymentGateOn(answer.agreement, ProgressOf(cohort),
                                   LocalDay(cohort, caller.now), rules));
    return absl::OkStatus();
  }));
  return answer;
}

absl::StatusOr<Agreement> RequestPayment(EnrolmentStore& store,
                                         const rules::RuleBook& rules,
                                         const access::Caller& caller,
                                         const AgreementName& name,
                                         int64_t amount_cents) {
  if (amount_cents <= 0) {
    return MakeFieldError("amount_cents", Reason::kFieldNegative);
  }
  return ChangeAgreement(store, caller, name, /*etag=*/"",
                         [&](const Cohort& cohort, Agreement& agreement) {
                           return RequestPayment(
                               agreement, amount_cents, ProgressOf(cohort),
                               LocalDay(cohort, caller.now), rules);
                         });
}

absl::StatusOr<Page<Agreement>> ListAgreements(EnrolmentStore& store,
                                               const access::Caller& caller,
                                               const BodyName& body,
                                               const AgreementFilter& filter,
                                               const PageRequest& request) {
  if (filter.external_id.has_value()) {
    ASSIGN_OR_RETURN(
        Page<Agreement> page,
        ListOfBody<Agreement>(store, caller, &EnrolmentUnit::agreements, body,
                              filter.external_id, request));
    if (!filter.application.empty() && !page.items.empty() &&
        page.items.front().application != filter.application) {
      page.items.clear();
    }
    return page;
  }
  Page<Agreement> page;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    RETURN_IF_ERROR(unit.bodies().Get(caller.scope, body).status());
    return ReadPage<Agreement>(unit, page, [&] {
      return unit.ListAgreements(caller.scope, body, filter.application,
                                 request);
    });
  }));
  return page;
}

absl::StatusOr<Page<Enrolment>> ListEnrolments(
    EnrolmentStore& store, const access::Caller& caller,
    const CohortName& cohort, std::optional<EnrolmentState> state,
    const PageRequest& request) {
  Page<Enrolment> page;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    RETURN_IF_ERROR(unit.cohorts().Get(caller.scope, cohort).status());
    return ReadPage<Enrolment>(unit, page, [&] {
      return unit.ListEnrolments(caller.scope, cohort, state, request);
    });
  }));
  return page;
}

absl::StatusOr<Enrolment> ConfirmPlace(EnrolmentStore& store,
                                       const rules::RuleBook& rules,
                                       const access::Caller& caller,
                                       const ApplicationName& name,
                                       const Commitment& commitment) {
  if (commitment.kind != CommitmentKind::kSignedAgreement &&
      commitment.reference.empty()) {
    return MakeFieldError("commitment_reference", Reason::kFieldRequired);
  }
  return ChangeResource<Enrolment>(
      store, caller, &EnrolmentUnit::enrolments,
      [&](EnrolmentUnit& unit) -> absl::StatusOr<Enrolment> {
        ASSIGN_OR_RETURN(LockedPlace locked,
                         LockPlace(unit, rules, caller, name, "ConfirmPlace"));
        RETURN_IF_ERROR(CheckRuns(locked.places.cohort));
        ASSIGN_OR_RETURN(std::optional<Enrolment> known,
                         unit.EnrolmentOf(caller.scope, name));
        const bool takes_part = known.has_value() && IsActive(*known);
        // Who already takes part does not enter.
        if (!takes_part) {
          RETURN_IF_ERROR(CheckEntryOpen(locked.places.cohort, caller.now));
        }
        ASSIGN_OR_RETURN(
            const bool committed,
            IsCommitted(unit, caller, locked.application, commitment));
        ASSIGN_OR_RETURN(
            const PlaceEvent event,
            Confirm(locked.application, locked.Situation(), committed));
        unit.Append(event);
        unit.applications().Update(locked.application);
        // A place that was at risk, or has another payer, already has its
        // participation.
        if (takes_part) {
          known->payer_kind = locked.application.payer.kind;
          known->organisation = locked.application.payer.organisation;
          known->funder_id = locked.application.payer.funder_id;
          known->commitment = commitment.kind;
          known->commitment_reference = commitment.reference;
          unit.enrolments().Update(*known);
          return *known;
        }
        Enrolment enrolment =
            EnrolmentFor(locked.application, commitment, caller.now);
        ASSIGN_OR_RETURN(const Person person,
                         unit.persons().Get(caller.scope, enrolment.person));
        enrolment.person_display_name = DisplayName(person);
        unit.enrolments().Insert(enrolment);
        return enrolment;
      });
}

absl::StatusOr<Enrolment> StartEnrolment(EnrolmentStore& store,
                                         const access::Caller& caller,
                                         const EnrolmentName& name) {
  return ChangeEnrolment(
      store, caller, name, [&](const Cohort& cohort, Enrolment& enrolment) {
        return Start(enrolment, cohort, LocalDay(cohort, caller.now));
      });
}

absl::StatusOr<Enrolment> CompleteEnrolment(EnrolmentStore& store,
                                            const access::Caller& caller,
                                            const EnrolmentName& name) {
  return ChangeEnrolment(
      store, caller, name, [&](const Cohort& cohort, Enrolment& enrolment) {
        return Complete(enrolment, cohort, LocalDay(cohort, caller.now));
      });
}

absl::StatusOr<Enrolment> EndEnrolment(EnrolmentStore& store,
                                       const rules::RuleBook& rules,
                                       const access::Caller& caller,
                                       const EnrolmentName& name, EarlyEnd end,
                                       bool end_is_today) {
  RETURN_IF_ERROR(CheckReason(end.reason));
  return ChangeResource<Enrolment>(
      store, caller, &EnrolmentUnit::enrolments,
      [&](EnrolmentUnit& unit) -> absl::StatusOr<Enrolment> {
        ASSIGN_OR_RETURN(const Enrolment known,
                         unit.enrolments().Get(caller.scope, name));
        ASSIGN_OR_RETURN(
            LockedPlace locked,
            LockPlace(unit, rules, caller, known.application, "EndEnrolment"));
        ASSIGN_OR_RETURN(Enrolment enrolment,
                         unit.enrolments().Lock(caller.scope, name));
        EarlyEnd ended = end;
        if (end_is_today) {
          ended.last_day = LocalDay(locked.places.cohort, caller.now);
        }
        RETURN_IF_ERROR(EndEarly(enrolment, ended));
        unit.enrolments().Update(enrolment);
        unit.Append(Release(locked.application, locked.Situation(),
                            "Participation terminée avant la fin du parcours.",
                            "Participation ended before the end of the "
                            "course."));
        RETURN_IF_ERROR(SettlePlace(unit, caller, locked));
        return enrolment;
      });
}

absl::StatusOr<Enrolment> ReplaceLearner(EnrolmentStore& store,
                                         const rules::RuleBook& rules,
                                         const access::Caller& caller,
                                         const EnrolmentName& name,
                                         const ApplicationName& newcomer,
                                         const std::string& reason) {
  RETURN_IF_ERROR(CheckReason(reason));
  if (newcomer.Under<CohortName>() != name.Under<CohortName>()) {
    return MakeFieldError("application", Reason::kUnknownReference);
  }
  return ChangeResource<Enrolment>(
      store, caller, &EnrolmentUnit::enrolments,
      [&](EnrolmentUnit& unit) -> absl::StatusOr<Enrolment> {
        ASSIGN_OR_RETURN(const Enrolment known,
                         unit.enrolments().Get(caller.scope, name));
        ASSIGN_OR_RETURN(LockedPlace leaving,
                         LockPlace(unit, rules, caller, known.application,
                                   "ReplaceLearner"));
        const Cohort& cohort = leaving.places.cohort;
        RETURN_IF_ERROR(CheckRuns(cohort));
        RETURN_IF_ERROR(CheckEntryOpen(cohort, caller.now));
        if (KindFor(known.payer_kind) != AgreementKind::kConvention) {
          return MakeError(
              Reason::kNotApplicableToKind,
              {{"action", "ReplaceLearner"},
               {"kind", std::string(NameOf(KindFor(known.payer_kind)))}});
        }
        if (leaving.application.place_state != PlaceState::kConfirmed) {
          return MakeError(Reason::kNotCommitted,
                           {{"missing", "written commitment of the payer"}});
        }
        ASSIGN_OR_RETURN(Application arriving,
                         unit.applications().Lock(caller.scope, newcomer));
        RETURN_IF_ERROR(CheckNotErased(arriving));
        if (arriving.review_state != ReviewState::kAdmitted) {
          return MakeError(Reason::kNotCommitted, {{"missing", "admission"}});
        }
        if (HasPlace(arriving.place_state)) {
          return MakeError(
              Reason::kIllegalTransition,
              {{"resource", newcomer.text()},
               {"state", std::string(NameOf(arriving.place_state))},
               {"action", "ReplaceLearner"}});
        }
        ASSIGN_OR_RETURN(Enrolment enrolment,
                         unit.enrolments().Lock(caller.scope, name));
        const absl::CivilDay today = LocalDay(cohort, caller.now);
        RETURN_IF_ERROR(EndEarly(enrolment, {.state = EnrolmentState::kReplaced,
                                             .reason = reason,
                                             .force_majeure = false,
                                             .last_day = today}));
        unit.enrolments().Update(enrolment);
        unit.Append(Release(
            leaving.application, leaving.Situation(),
            "Remplacement demandé par l’employeur, titulaire de la convention.",
            "Replaced by the employer, who holds the convention."));
        unit.applications().Update(leaving.application);
        RETURN_IF_ERROR(
            HandConventionOn(unit, caller, known.application, newcomer));

        const PlaceState arrived_from = arriving.place_state;
        if (EarnsRank(arriving, leaving.places.programme.rank_event,
                      /*committed=*/true)) {
          arriving.rank = leaving.places.last_rank + 1;
          arriving.rank_time = caller.now;
        }
        arriving.payer = leaving.application.payer;
        arriving.place_state = PlaceState::kHeld;
        ASSIGN_OR_RETURN(const PlaceEvent event,
                         Confirm(arriving, leaving.Situation(),
                                 /*committed=*/true));
        PlaceEvent told = event;
        told.text_fr =
            "La place appartient à la convention de l’employeur, qui vous "
            "envoie : personne n’est dépassé dans la liste.";
        told.text_en =
            "The place belongs to the employer's convention, who sends you: "
            "nobody in the list is overtaken.";
        unit.Append(told);
        unit.applications().Update(arriving);
        PlaceCounts& counts = leaving.places.counts;
        CountMove(counts, PlaceState::kConfirmed, PlaceState::kReleased);
        CountMove(counts, arrived_from, PlaceState::kConfirmed);
        // An offer that the newcomer had is free for the next.
        RETURN_IF_ERROR(OfferFreePlaces(unit, rules, caller, cohort, counts));
        Enrolment entered =
            EnrolmentFor(arriving,
                         {.kind = known.commitment,
                          .reference = enrolment.commitment_reference},
                         caller.now);
        ASSIGN_OR_RETURN(const Person person,
                         unit.persons().Get(caller.scope, entered.person));
        entered.person_display_name = DisplayName(person);
        unit.enrolments().Insert(entered);
        return entered;
      });
}

}  // namespace parcours::enrolment
