#ifndef PARCOURS_COMMON_RPC_KEPT_ANSWER_H_
#define PARCOURS_COMMON_RPC_KEPT_ANSWER_H_

#include <string>
#include <utility>

#include "google/protobuf/message_lite.h"
#include "grpcpp/support/slice.h"

namespace parcours::rpc {

// An answer to be given many times, encoded once: the bytes of a slice are
// shared by the calls that send them, not copied.
template <typename Response>
class KeptAnswer {
 public:
  explicit KeptAnswer(Response message)
      : message_(std::move(message)), encoded_(message_.SerializeAsString()) {}

  const Response& message() const { return message_; }
  const grpc::Slice& encoded() const { return encoded_; }

 private:
  Response message_;
  grpc::Slice encoded_;
};

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_KEPT_ANSWER_H_
