#include "clients/cli/demo/payers.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/status/macros.h"

namespace parcours::cli::demo {
namespace {

using enrolment::v1::PeopleService;
using type::v1::PayerKind;

// The id of the made-up organisation of that kind; empty: it needs none.
std::string OrganisationId(PayerKind kind) {
  switch (kind) {
    case type::v1::PAYER_KIND_EMPLOYER:
      return "employeur-fictif";
    case type::v1::PAYER_KIND_PUBLIC_EMPLOYER:
      return "collectivite-fictive";
    case type::v1::PAYER_KIND_OPCO:
      return "association-fictive";
    default:
      return "";
  }
}

const type::v1::Funder* FunderOf(const enrolment::v1::Cohort& cohort,
                                 PayerKind kind) {
  for (const type::v1::Funder& funder : cohort.funders()) {
    if (funder.payer_kind() == kind) return &funder;
  }
  return nullptr;
}

}  // namespace

std::vector<PayerKind> PayerKinds(const enrolment::v1::Cohort& cohort) {
  std::set<PayerKind> kinds;
  for (const type::v1::PriceLine& price : cohort.prices()) {
    kinds.insert(price.payer_kind());
  }
  const bool employers = kinds.contains(type::v1::PAYER_KIND_EMPLOYER);
  if (employers) kinds.insert(type::v1::PAYER_KIND_PUBLIC_EMPLOYER);
  // An OPCO without a line of its own pays as an employer; any other funder
  // without a line has no price.
  if (employers && FunderOf(cohort, type::v1::PAYER_KIND_OPCO) != nullptr) {
    kinds.insert(type::v1::PAYER_KIND_OPCO);
  }
  return {kinds.begin(), kinds.end()};
}

std::string_view NameOf(PayerKind kind) {
  switch (kind) {
    case type::v1::PAYER_KIND_INDIVIDUAL:
      return "à titre individuel";
    case type::v1::PAYER_KIND_EMPLOYER:
      return "employeur";
    case type::v1::PAYER_KIND_PUBLIC_EMPLOYER:
      return "employeur public";
    case type::v1::PAYER_KIND_OPCO:
      return "OPCO";
    case type::v1::PAYER_KIND_CPF:
      return "CPF";
    case type::v1::PAYER_KIND_FRANCE_TRAVAIL:
      return "France Travail";
    case type::v1::PAYER_KIND_TRANSITIONS_PRO:
      return "Transitions Pro";
    case type::v1::PAYER_KIND_SELF_EMPLOYED_FUND:
      return "fonds des indépendants";
    case type::v1::PAYER_KIND_ELECTED_OFFICIAL:
      return "droit des élus";
    default:
      return "financeur inconnu";
  }
}

absl::Status MakeOrganisations(const Stage& stage) {
  for (const PayerKind kind : PayerKinds(stage.cohort)) {
    const std::string id = OrganisationId(kind);
    if (id.empty()) continue;
    enrolment::v1::UpdateOrganisationRequest request;
    enrolment::v1::Organisation& organisation = *request.mutable_organisation();
    organisation.set_name(absl::StrCat(stage.Body(), "/organisations/", id));
    organisation.set_display_name(
        kind == type::v1::PAYER_KIND_EMPLOYER ? "Employeur Fictif"
        : kind == type::v1::PAYER_KIND_OPCO   ? "Association Fictive"
                                              : "Collectivité Fictive");
    organisation.set_signatory("Signataire Fictive");
    organisation.set_billing_email(absl::StrCat(id, "@example.org"));
    organisation.set_public_buyer(kind == type::v1::PAYER_KIND_PUBLIC_EMPLOYER);
    if (const type::v1::Funder* funder = FunderOf(stage.cohort, kind)) {
      organisation.set_opco(funder->id());
    }
    request.set_allow_missing(true);
    RETURN_IF_ERROR(
        stage.services.enrolment.people
            .Call(&PeopleService::StubInterface::UpdateOrganisation, request)
            .status());
  }
  return absl::OkStatus();
}

enrolment::v1::Payer PayerOf(const Stage& stage, PayerKind kind) {
  enrolment::v1::Payer payer;
  payer.set_kind(kind);
  if (const std::string id = OrganisationId(kind); !id.empty()) {
    payer.set_organisation(absl::StrCat(stage.Body(), "/organisations/", id));
  }
  if (const type::v1::Funder* funder = FunderOf(stage.cohort, kind)) {
    payer.set_funder_id(funder->id());
  }
  return payer;
}

}  // namespace parcours::cli::demo
