#include "clients/cli/demo/agreements.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "clients/cli/dates.h"
#include "clients/cli/demo/offers.h"
#include "clients/cli/demo/payers.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "common/time/french_calendar.h"

namespace parcours::cli::demo {
namespace {

using enrolment::v1::Agreement;
using enrolment::v1::Application;
using enrolment::v1::ApplicationService;
using enrolment::v1::EnrolmentService;
using enrolment::v1::ProgrammeService;
using type::v1::PayerKind;

// Days that the learner waits before withdrawing; the legal period is longer.
constexpr int kDaysBeforeWithdrawal = 5;
// What is left for the next in the list when a place falls free.
constexpr int kDaysToCallTheNext = 14;
constexpr int kFewestDaysToCallTheNext = 2;
// How long before the start the decision is taken.
constexpr int kDaysBeforeStart = 30;
constexpr int kOfficeHour = 14;

std::string Euros(int64_t cents) {
  return absl::StrFormat("%d,%02d €", cents / 100, cents % 100);
}

bool IsLive(const Agreement& agreement) {
  return agreement.state() == Agreement::STATE_DRAFT ||
         agreement.state() == Agreement::STATE_SIGNED ||
         agreement.state() == Agreement::STATE_BINDING;
}

absl::StatusOr<std::vector<Agreement>> Agreements(
    const Stage& stage, const std::string& application) {
  enrolment::v1::ListAgreementsRequest request;
  request.set_parent(stage.Body());
  request.set_application(application);
  return ListAll(
      stage.services.enrolment.enrolments,
      &EnrolmentService::StubInterface::ListAgreements, request,
      [](enrolment::v1::ListAgreementsResponse & page) -> auto& {
        return *page.mutable_agreements();
      });
}

enrolment::v1::CommitmentKind CommitmentOf(PayerKind payer) {
  switch (payer) {
    case type::v1::PAYER_KIND_PUBLIC_EMPLOYER:
      return enrolment::v1::COMMITMENT_KIND_PURCHASE_ORDER;
    case type::v1::PAYER_KIND_CPF:
      return enrolment::v1::COMMITMENT_KIND_EDOF_ACCEPTANCE;
    case type::v1::PAYER_KIND_FRANCE_TRAVAIL:
      return enrolment::v1::COMMITMENT_KIND_FRANCE_TRAVAIL_GRANT;
    default:
      return enrolment::v1::COMMITMENT_KIND_SIGNED_AGREEMENT;
  }
}

// Draws up and signs the agreement of an application, unless it is there.
absl::StatusOr<Agreement> SignFor(const Stage& stage,
                                  const Application& application) {
  ASSIGN_OR_RETURN(const std::vector<Agreement> known,
                   Agreements(stage, application.name()));
  const auto live = std::find_if(known.begin(), known.end(), IsLive);
  Agreement agreement;
  if (live != known.end()) {
    agreement = *live;
  } else {
    enrolment::v1::CreateAgreementRequest create;
    create.set_parent(stage.Body());
    create.mutable_agreement()->set_application(application.name());
    ASSIGN_OR_RETURN(
        agreement,
        stage.services.enrolment.enrolments.Call(
            &EnrolmentService::StubInterface::CreateAgreement, create));
  }
  if (agreement.state() != Agreement::STATE_DRAFT) return agreement;
  enrolment::v1::SignAgreementRequest sign;
  sign.set_name(agreement.name());
  sign.set_signatory(agreement.organisation().empty()
                         ? absl::StrCat(application.candidate().given_name(),
                                        " ",
                                        application.candidate().family_name())
                         : "Signataire Fictive");
  // Contracts are signed from home, conventions by post.
  sign.set_at_distance(agreement.kind() == Agreement::KIND_CONTRACT);
  return stage.services.enrolment.enrolments.Call(
      &EnrolmentService::StubInterface::SignAgreement, sign);
}

absl::Status Commit(const Stage& stage, const Application& application) {
  RETURN_IF_ERROR(SignFor(stage, application).status());
  enrolment::v1::ConfirmPlaceRequest confirm;
  confirm.set_application(application.name());
  const PayerKind payer = application.payer().kind();
  confirm.set_commitment(CommitmentOf(payer));
  if (confirm.commitment() != enrolment::v1::COMMITMENT_KIND_SIGNED_AGREEMENT) {
    confirm.set_commitment_reference(
        absl::StrCat("FICTIF-", application.rank()));
  }
  return stage.services.enrolment.enrolments
      .Call(&EnrolmentService::StubInterface::ConfirmPlace, confirm)
      .status();
}

// Confirms every admitted candidate who holds a place, `except` one.
absl::Status CommitHeld(const Stage& stage,
                        const std::optional<std::string>& except) {
  ASSIGN_OR_RETURN(const std::vector<Application> held,
                   Applications(stage, enrolment::v1::PLACE_STATE_HELD));
  int done = 0;
  for (const Application& application : held) {
    stage.narrator.Progress("engagements", ++done,
                            static_cast<int>(held.size()));
    if (application.name() == except ||
        application.review_state() != enrolment::v1::REVIEW_STATE_ADMITTED) {
      continue;
    }
    RETURN_IF_ERROR(Commit(stage, application));
  }
  return absl::OkStatus();
}

// Answers what is offered and commits what is accepted, until all is calm.
absl::Status FillPlaces(Stage& stage,
                        const std::optional<std::string>& except) {
  RETURN_IF_ERROR(AnswerOffers(stage));
  return CommitHeld(stage, except);
}

// Lets every kind of payer appear: where one is missing among those who hold a
// place, somebody of the most frequent kind changes to it.
absl::Status CoverPayers(const Stage& stage) {
  ASSIGN_OR_RETURN(const std::vector<Application> held,
                   Applications(stage, enrolment::v1::PLACE_STATE_HELD));
  std::map<PayerKind, std::vector<const Application*>> by_kind;
  for (const Application& application : held) {
    by_kind[application.payer().kind()].push_back(&application);
  }
  for (const PayerKind kind : PayerKinds(stage.cohort)) {
    if (by_kind.contains(kind)) continue;
    const auto most = std::max_element(
        by_kind.begin(), by_kind.end(), [](const auto& a, const auto& b) {
          return a.second.size() < b.second.size();
        });
    if (most == by_kind.end() || most->second.size() < 2) continue;
    const Application& application = *most->second.back();
    most->second.pop_back();
    enrolment::v1::ChangePayerRequest request;
    request.set_name(application.name());
    *request.mutable_payer() = PayerOf(stage, kind);
    ASSIGN_OR_RETURN(
        const Application changed,
        stage.services.enrolment.applications.Call(
            &ApplicationService::StubInterface::ChangePayer, request));
    by_kind[kind].push_back(&application);
    stage.narrator.Tell(Cat(Described(changed), " : change de financeur (",
                            NameOf(kind), ")."));
  }
  return absl::OkStatus();
}

// Somebody whose written commitment will not come, if its deadline leaves time
// to call the next.
std::optional<Application> ChooseLapsing(Stage& stage,
                                         const std::vector<Application>& held) {
  const absl::Time latest =
      stage.At(stage.last_entry_day() - kDaysToCallTheNext, 0);
  std::vector<const Application*> eligible;
  for (const Application& application : held) {
    if (application.has_place_expire_time() &&
        TimeOf(application.place_expire_time()) < latest) {
      eligible.push_back(&application);
    }
  }
  if (eligible.empty()) return std::nullopt;
  return *eligible[stage.random.Index(eligible.size())];
}

struct Contract {
  Agreement agreement;
  Application application;
};

// The contracts of confirmed places that may still be withdrawn from.
absl::StatusOr<std::vector<Contract>> OpenContracts(const Stage& stage) {
  ASSIGN_OR_RETURN(const std::vector<Application> confirmed,
                   Applications(stage, enrolment::v1::PLACE_STATE_CONFIRMED));
  std::vector<Contract> contracts;
  for (const Application& application : confirmed) {
    ASSIGN_OR_RETURN(const std::vector<Agreement> agreements,
                     Agreements(stage, application.name()));
    for (const Agreement& agreement : agreements) {
      if (agreement.kind() == Agreement::KIND_CONTRACT && IsLive(agreement)) {
        contracts.push_back({agreement, application});
      }
    }
  }
  return contracts;
}

// The service refuses money before the end of the withdrawal period.
absl::Status AskTooEarly(const Stage& stage, const Contract& contract) {
  enrolment::v1::RequestPaymentRequest request;
  request.set_name(contract.agreement.name());
  request.set_amount_cents(1);
  const absl::Status refused =
      stage.services.enrolment.enrolments
          .Call(&EnrolmentService::StubInterface::RequestPayment, request)
          .status();
  if (ReasonOf(refused) != Reason::kWithdrawalPeriodRunning) {
    return refused.ok() ? absl::InternalError(
                              "un paiement a été accepté dans le délai de "
                              "rétractation")
                        : refused;
  }
  stage.narrator.Tell(absl::StrCat("Paiement demandé trop tôt à ",
                                   Described(contract.application), " : ",
                                   DescribeError(refused)));
  return absl::OkStatus();
}

absl::Status WithdrawLegally(Stage& stage, const Contract& contract,
                             const std::optional<std::string>& except) {
  ASSIGN_OR_RETURN(const absl::Time now, Now(stage));
  const absl::Time last_day =
      stage.At(DayOf(contract.agreement.withdrawal_end_date()), kOfficeHour);
  const absl::Time latest =
      stage.At(stage.last_entry_day() - kFewestDaysToCallTheNext, kOfficeHour);
  RETURN_IF_ERROR(
      AdvanceTo(stage, std::min({now + absl::Hours(24 * kDaysBeforeWithdrawal),
                                 last_day, std::max(now, latest)})));
  enrolment::v1::WithdrawFromAgreementRequest request;
  request.set_name(contract.agreement.name());
  RETURN_IF_ERROR(
      stage.services.enrolment.enrolments
          .Call(&EnrolmentService::StubInterface::WithdrawFromAgreement,
                request)
          .status());
  stage.narrator.Tell(absl::StrCat(
      Described(contract.application), " : se rétracte dans le délai légal (",
      contract.agreement.withdrawal_rule(), "), ne doit rien."));
  return FillPlaces(stage, except);
}

absl::Status TellPayers(const Stage& stage) {
  ASSIGN_OR_RETURN(const std::vector<enrolment::v1::Enrolment> enrolments,
                   Enrolments(stage, enrolment::v1::Enrolment::STATE_ENROLLED));
  std::map<PayerKind, int> counts;
  for (const auto& enrolment : enrolments) ++counts[enrolment.payer_kind()];
  stage.narrator.Tell(absl::StrCat(
      enrolments.size(), " places confirmées : ",
      absl::StrJoin(counts, ", ", [](std::string* text, const auto& entry) {
        CatTo(*text, entry.second, " ", NameOf(entry.first));
      })));
  return absl::OkStatus();
}

// With this event, whoever commits in writing first gets the rank.
absl::Status CommitForRank(Stage& stage) {
  ASSIGN_OR_RETURN(std::vector<Application> applications, Applications(stage));
  stage.random.Shuffle(applications);
  for (const Application& application : applications) {
    if (application.review_state() == enrolment::v1::REVIEW_STATE_ADMITTED) {
      RETURN_IF_ERROR(SignFor(stage, application).status());
    }
  }
  return absl::OkStatus();
}

absl::Status AskFirstPayments(const Stage& stage) {
  ASSIGN_OR_RETURN(const std::vector<Contract> contracts, OpenContracts(stage));
  bool told = false;
  for (const Contract& contract : contracts) {
    enrolment::v1::GetPaymentGateRequest get;
    get.set_name(contract.agreement.name());
    ASSIGN_OR_RETURN(
        const enrolment::v1::PaymentGate gate,
        stage.services.enrolment.enrolments.Call(
            &EnrolmentService::StubInterface::GetPaymentGate, get));
    const int64_t due = gate.allowed_cents() - gate.requested_cents();
    if (due <= 0) continue;
    enrolment::v1::RequestPaymentRequest request;
    request.set_name(contract.agreement.name());
    request.set_amount_cents(due);
    ASSIGN_OR_RETURN(
        const Agreement asked,
        stage.services.enrolment.enrolments.Call(
            &EnrolmentService::StubInterface::RequestPayment, request));
    if (told) continue;
    told = true;
    stage.narrator.Tell(absl::StrCat(
        "Contrats, premier paiement : ", Euros(asked.requested_cents()),
        " sur ", Euros(asked.price_cents()), ". ", gate.text_fr()));
  }
  return absl::OkStatus();
}

absl::Status PublishCalendar(const Stage& stage) {
  if (!stage.services.scheduling.has_value()) return absl::OkStatus();
  scheduling::v1::PublishCalendarRequest request;
  request.set_name(absl::StrCat(stage.cohort.name(), "/calendar"));
  // Read only where a version is there already.
  request.set_reason("Confirmation de la promotion");
  ASSIGN_OR_RETURN(
      const scheduling::v1::CalendarVersion version,
      stage.services.scheduling->calendars.Call(
          &scheduling::v1::CalendarService::StubInterface::PublishCalendar,
          request));
  stage.narrator.Tell(absl::StrCat(
      "Calendrier publié, version ", version.version(), " : ",
      version.day_count(), " jours, ", version.half_day_count(),
      " demi-journées, ", version.recipients_size(), " personnes prévenues",
      version.missing_items_size() == 0
          ? "."
          : absl::StrCat(", ", version.missing_items_size(),
                         " points à décider.")));
  return absl::OkStatus();
}

}  // namespace

absl::Status SignAgreements(Stage& stage) {
  stage.narrator.Chapter("Engagements écrits, selon qui finance");
  ASSIGN_OR_RETURN(const absl::Time now, Now(stage));
  RETURN_IF_ERROR(AdvanceTo(stage, now + absl::Hours(24)));
  if (stage.programme.rank_event() == enrolment::v1::RANK_EVENT_COMMITMENT) {
    RETURN_IF_ERROR(CommitForRank(stage));
  }
  RETURN_IF_ERROR(CoverPayers(stage));
  ASSIGN_OR_RETURN(const std::vector<Application> held,
                   Applications(stage, enrolment::v1::PLACE_STATE_HELD));
  const std::optional<Application> lapsing = ChooseLapsing(stage, held);
  std::optional<std::string> except;
  if (lapsing.has_value()) except = lapsing->name();
  RETURN_IF_ERROR(CommitHeld(stage, except));
  RETURN_IF_ERROR(TellPayers(stage));
  ASSIGN_OR_RETURN(std::vector<Contract> contracts, OpenContracts(stage));
  if (!contracts.empty()) {
    const Contract& contract = contracts[stage.random.Index(contracts.size())];
    RETURN_IF_ERROR(AskTooEarly(stage, contract));
    RETURN_IF_ERROR(WithdrawLegally(stage, contract, except));
  }
  if (lapsing.has_value()) {
    RETURN_IF_ERROR(AdvanceTo(
        stage, TimeOf(lapsing->place_expire_time()) + absl::Minutes(1)));
    stage.narrator.Tell(absl::StrCat(
        Described(*lapsing),
        " : l’engagement écrit n’est pas venu à temps, la place est libérée."));
  }
  RETURN_IF_ERROR(FillPlaces(stage, std::nullopt));
  return TellPayers(stage);
}

absl::Status DecideToGo(Stage& stage) {
  stage.narrator.Chapter("La décision d’ouvrir");
  ASSIGN_OR_RETURN(const absl::Time now, Now(stage));
  const absl::Time planned = stage.At(
      RollToWorkingDay(stage.start_day() - kDaysBeforeStart), kOfficeHour);
  RETURN_IF_ERROR(AdvanceTo(stage, std::max(now, planned)));
  RETURN_IF_ERROR(FillPlaces(stage, std::nullopt));
  enrolment::v1::GetGoNoGoRequest get;
  get.set_name(stage.cohort.name());
  ASSIGN_OR_RETURN(const enrolment::v1::GoNoGo counts,
                   stage.services.enrolment.programmes.Call(
                       &ProgrammeService::StubInterface::GetGoNoGo, get));
  const bool reached =
      counts.binding_count() + counts.in_withdrawal_period_count() >=
      counts.minimum();
  enrolment::v1::DecideCohortRequest decide;
  decide.set_name(stage.cohort.name());
  decide.set_decision(
      reached ? enrolment::v1::Cohort::GO_DECISION_GO
              : enrolment::v1::Cohort::GO_DECISION_GO_BELOW_MINIMUM);
  decide.set_decider(std::string(kCoordinator));
  decide.set_reason(reached ? "L’effectif minimum est atteint."
                            : "Une petite promotion vaut mieux qu’aucune.");
  ASSIGN_OR_RETURN(stage.cohort,
                   stage.services.enrolment.programmes.Call(
                       &ProgrammeService::StubInterface::DecideCohort, decide));
  stage.narrator.Tell(absl::StrCat(
      reached ? "GO" : "GO sous le minimum", " : ", counts.binding_count(),
      " engagements fermes, ", counts.in_withdrawal_period_count(),
      " en délai de rétractation, ", counts.at_risk_count(),
      " en risque, pour un minimum de ", counts.minimum(), "."));
  RETURN_IF_ERROR(AskFirstPayments(stage));
  return PublishCalendar(stage);
}

}  // namespace parcours::cli::demo
