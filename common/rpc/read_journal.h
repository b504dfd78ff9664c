#ifndef PARCOURS_COMMON_RPC_READ_JOURNAL_H_
#define PARCOURS_COMMON_RPC_READ_JOURNAL_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/access/caller.h"

namespace parcours::rpc {

// Keeps who read which personal data. Thread-safe.
class ReadJournal {
 public:
  virtual ~ReadJournal() = default;

  // Called on a worker when a read has succeeded and before its caller learns
  // the answer. `resources` are the names that were asked for or answered.
  // With `before_answer` the record is durable when this returns. An error
  // takes the place of the answer.
  virtual absl::Status Record(const access::Caller& caller,
                              absl::Span<const std::string> resources,
                              bool before_answer) = 0;
};

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_READ_JOURNAL_H_
