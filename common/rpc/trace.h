#ifndef PARCOURS_COMMON_RPC_TRACE_H_
#define PARCOURS_COMMON_RPC_TRACE_H_

#include <string>
#include <string_view>

namespace parcours::rpc {

// One span of a trace (https://www.w3.org/TR/trace-context/).
struct Trace {
  // 32 lower-case hexadecimal digits.
  std::string trace_id;
  // "00-<trace id>-<span id>-<flags>" with a span id of this call's own.
  std::string traceparent;
};

// Goes on with the trace that `traceparent` names, or starts a new one when it
// is empty or malformed.
Trace ContinueTrace(std::string_view traceparent);

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_TRACE_H_
