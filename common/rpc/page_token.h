#ifndef PARCOURS_COMMON_RPC_PAGE_TOKEN_H_
#define PARCOURS_COMMON_RPC_PAGE_TOKEN_H_

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "common/types/repository.h"
#include "google/protobuf/message.h"

namespace parcours::rpc {

// The page tokens of lists (https://google.aip.dev/158): opaque, sealed with a
// key and bound to the type and the other fields of the request, so that a
// token of another list or with other arguments is refused. A token is no
// authorisation. Thread-safe.
class PageTokens {
 public:
  static constexpr int kDefaultSize = 50;
  static constexpr int kMaxSize = 500;

  explicit PageTokens(std::string key) : key_(std::move(key)) {}

  // Reads page_size (0 is the default, more than the maximum is the maximum)
  // and page_token of a list request. PAGE_TOKEN_INVALID.
  absl::StatusOr<PageRequest> Read(
      const google::protobuf::Message& request) const;

  // The token of the page that begins after `next_key`; empty for none.
  std::string Make(const google::protobuf::Message& request,
                   std::string_view next_key) const;

 private:
  std::string Seal(const google::protobuf::Message& request,
                   std::string_view next_key) const;

  const std::string key_;
};

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_PAGE_TOKEN_H_
