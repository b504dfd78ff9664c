#ifndef PARCOURS_SERVICES_EVALUATION_RPC_DEPENDENCIES_H_
#define PARCOURS_SERVICES_EVALUATION_RPC_DEPENDENCIES_H_

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
  const rules::RuleBook& rules;
  const rpc::PageTokens& page_tokens;
};

// One page as a list response, whose repeated field is filled by `add`.
template <typename Response, typename Resource, typename Add>
Response PageResponse(const Dependencies& dependencies,
                      const google::protobuf::Message& request,
                      const Page<Resource>& page, Add add) {
  Response response;
  for (const Resource& resource : page.items) add(response, resource);
  response.set_next_page_token(
      dependencies.page_tokens.Make(request, page.next_key));
  return response;
}

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_RPC_DEPENDENCIES_H_
