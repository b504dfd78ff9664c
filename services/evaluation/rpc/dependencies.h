#ifndef PARCOURS_SERVICES_EVALUATION_RPC_DEPENDENCIES_H_
#define PARCOURS_SERVICES_EVALUATION_RPC_DEPENDENCIES_H_

#include <cstdint>
#include <functional>
#include <string>

#include "common/privacy/erasure_log.h"
#include "common/rpc/page_response.h"
#include "common/rpc/page_token.h"
#include "common/rules/rule_book.h"
#include "services/evaluation/domain/enrolment_port.h"
#include "services/evaluation/domain/evaluation_store.h"
#include "services/evaluation/domain/note_files.h"
#include "services/evaluation/domain/scheduling_port.h"

namespace parcours::evaluation {

// What the rpcs of evaluation call. All outlive them.
struct Dependencies {
  EvaluationStore& store;
  EnrolmentPort& enrolments;
  // Null when no scheduling service is configured.
  SchedulingPort* scheduling = nullptr;
  NoteFiles& files;
  privacy::ErasureLog& erasure_log;
  const rules::RuleBook& rules;
  const rpc::PageTokens& page_tokens;
  // The feed token of a position.
  std::function<std::string(int64_t)> feed_token;
};

using rpc::PageResponse;

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_RPC_DEPENDENCIES_H_
