#ifndef PARCOURS_SERVICES_SCHEDULING_RPC_DEPENDENCIES_H_
#define PARCOURS_SERVICES_SCHEDULING_RPC_DEPENDENCIES_H_

#include <cstdint>
#include <functional>
#include <string>

#include "common/privacy/erasure_log.h"
#include "common/rpc/page_response.h"
#include "common/rpc/page_token.h"
#include "common/rules/rule_book.h"
#include "services/scheduling/domain/enrolment_port.h"
#include "services/scheduling/domain/scheduling_store.h"

namespace parcours::scheduling {

// What the rpcs of scheduling call. All outlive them.
struct Dependencies {
  SchedulingStore& store;
  EnrolmentPort& enrolment;
  privacy::ErasureLog& erasure_log;
  const rules::RuleBook& rules;
  const rpc::PageTokens& page_tokens;
  // The feed token of a position.
  std::function<std::string(int64_t)> feed_token;
};

using rpc::PageResponse;

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_RPC_DEPENDENCIES_H_
