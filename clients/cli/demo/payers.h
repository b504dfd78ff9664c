#ifndef PARCOURS_CLIENTS_CLI_DEMO_PAYERS_H_
#define PARCOURS_CLIENTS_CLI_DEMO_PAYERS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "clients/cli/demo/stage.h"

namespace parcours::cli::demo {

// The kinds of payer that the cohort has a price for, in the order of the
// contract: those of its price lines, public employers where employers have
// one, and those of its funders.
std::vector<type::v1::PayerKind> PayerKinds(
    const enrolment::v1::Cohort& cohort);

// How a kind is called, in French.
std::string_view NameOf(type::v1::PayerKind kind);

// Records one made-up organisation for each kind that needs one.
absl::Status MakeOrganisations(const Stage& stage);

// A payer of that kind, with its organisation and its first funder.
enrolment::v1::Payer PayerOf(const Stage& stage, type::v1::PayerKind kind);

}  // namespace parcours::cli::demo

#endif  // PARCOURS_CLIENTS_CLI_DEMO_PAYERS_H_
