#ifndef PARCOURS_COMMON_RPC_PAGE_RESPONSE_H_
#define PARCOURS_COMMON_RPC_PAGE_RESPONSE_H_

#include "common/types/repository.h"
#include "google/protobuf/message.h"

namespace parcours::rpc {

// One page as a list response, whose repeated field is filled by `add`, a
// function of (Response&, const Resource&). `dependencies` has `page_tokens`
// and `feed_token`, as those of every service.
template <typename Response, typename Dependencies, typename Resource,
          typename Add>
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

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_PAGE_RESPONSE_H_
