#ifndef PARCOURS_COMMON_RPC_CALL_CONTEXT_H_
#define PARCOURS_COMMON_RPC_CALL_CONTEXT_H_

#include <string>

#include "common/access/caller.h"

namespace parcours::rpc {

// What a service's code knows of the call it answers.
struct CallContext {
  access::Caller caller;
  // The traceparent that calls made on behalf of this one carry.
  std::string traceparent;
};

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_CALL_CONTEXT_H_
