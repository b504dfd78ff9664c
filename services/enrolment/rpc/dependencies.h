#ifndef PARCOURS_SERVICES_ENROLMENT_RPC_DEPENDENCIES_H_
#define PARCOURS_SERVICES_ENROLMENT_RPC_DEPENDENCIES_H_

#include <cstdint>
#include <functional>
#include <string>

#include "common/rpc/page_response.h"
#include "common/rpc/page_token.h"
#include "common/rules/rule_book.h"
#include "services/enrolment/domain/enrolment_store.h"

namespace parcours::enrolment {

// What the rpcs of enrolment call. All outlive them.
struct Dependencies {
  EnrolmentStore& store;
  const rules::RuleBook& rules;
  const rpc::PageTokens& page_tokens;
  // The feed token of a position.
  std::function<std::string(int64_t)> feed_token;
};

using rpc::PageResponse;

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_RPC_DEPENDENCIES_H_
