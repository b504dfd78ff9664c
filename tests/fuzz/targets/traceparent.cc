#include "common/rpc/trace.h"
#include "tests/fuzz/target.h"

PARCOURS_FUZZ_TARGET(traceparent) {
  const parcours::rpc::Trace trace = parcours::rpc::ContinueTrace(input);
  PARCOURS_FUZZ_CHECK(trace.traceparent.size() == 55);
  PARCOURS_FUZZ_CHECK(trace.trace_id.size() == 32);
  PARCOURS_FUZZ_CHECK(trace.traceparent.substr(3, 32) == trace.trace_id);
  // It goes into logs and headers as it is.
  PARCOURS_FUZZ_CHECK(trace.traceparent.find_first_not_of(
                          "0123456789abcdef-") == std::string::npos);
  const parcours::rpc::Trace next =
      parcours::rpc::ContinueTrace(trace.traceparent);
  PARCOURS_FUZZ_CHECK(next.trace_id == trace.trace_id);
}
