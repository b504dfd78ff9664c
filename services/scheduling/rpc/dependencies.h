#ifndef PARCOURS_SERVICES_SCHEDULING_RPC_DEPENDENCIES_H_
#define PARCOURS_SERVICES_SCHEDULING_RPC_DEPENDENCIES_H_

#include <cstdint>
#include <functional>
#include <string>

#include "common/rpc/page_token.h"
#include "common/rules/rule_book.h"
#include "services/scheduling/domain/enrolment_port.h"
#include "services/scheduling/domain/scheduling_store.h"

namespace parcours::scheduling {

// What the rpcs of scheduling call. All outlive them.
struct Dependencies {
  SchedulingStore& store;
  EnrolmentPort& enrolment;
  const rules::RuleBook& rules;
  const rpc::PageTokens& page_tokens;
  // The feed token of a position.
  std::function<std::string(int64_t)> feed_token;
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
  response.set_feed_token(dependencies.feed_token(page.feed_position));
  return response;
}

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_RPC_DEPENDENCIES_H_
