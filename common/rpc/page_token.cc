#include "common/rpc/page_token.h"

#include <sodium.h>

#include <algorithm>
#include <memory>

#include "absl/strings/escaping.h"
#include "common/crypto/digest.h"
#include "common/rpc/serialise.h"
#include "common/status/error.h"
#include "common/text/view.h"

namespace parcours::rpc {
namespace {

constexpr std::size_t kSealBytes = 16;

const google::protobuf::FieldDescriptor* Field(
    const google::protobuf::Message& request, const char* name) {
  return request.GetDescriptor()->FindFieldByName(name);
}

std::string TokenOf(const google::protobuf::Message& request) {
  const auto* field = Field(request, "page_token");
  return request.GetReflection()->GetString(request, field);
}

}  // namespace

std::string PageTokens::Seal(const google::protobuf::Message& request,
                             std::string_view next_key) const {
  const std::unique_ptr<google::protobuf::Message> arguments(request.New());
  arguments->CopyFrom(request);
  for (const char* name : {"page_size", "page_token"}) {
    arguments->GetReflection()->ClearField(arguments.get(),
                                           Field(*arguments, name));
  }
  const std::string bound = Cat(request.GetTypeName(), "\n", next_key.size(),
                                "\n", next_key, DeterministicBytes(*arguments));
  std::string seal(kSealBytes, '\0');
  crypto_generichash(
      reinterpret_cast<unsigned char*>(seal.data()), seal.size(),
      reinterpret_cast<const unsigned char*>(bound.data()), bound.size(),
      reinterpret_cast<const unsigned char*>(key_.data()),
      std::min<std::size_t>(key_.size(), crypto_generichash_KEYBYTES_MAX));
  return seal;
}

std::string PageTokens::Make(const google::protobuf::Message& request,
                             std::string_view next_key) const {
  if (next_key.empty()) return "";
  return absl::WebSafeBase64Escape(Cat(Seal(request, next_key), next_key));
}

absl::StatusOr<PageRequest> PageTokens::Read(
    const google::protobuf::Message& request) const {
  PageRequest page;
  const int size =
      request.GetReflection()->GetInt32(request, Field(request, "page_size"));
  page.size = size <= 0 ? kDefaultSize : std::min(size, kMaxSize);
  const std::string token = TokenOf(request);
  if (token.empty()) return page;
  std::string opened;
  if (!absl::WebSafeBase64Unescape(token, &opened) ||
      opened.size() <= kSealBytes) {
    return MakeFieldError("page_token", Reason::kPageTokenInvalid);
  }
  page.after_key = opened.substr(kSealBytes);
  if (!crypto::EqualInConstantTime(opened.substr(0, kSealBytes),
                                   Seal(request, page.after_key))) {
    return MakeFieldError("page_token", Reason::kPageTokenInvalid);
  }
  return page;
}

}  // namespace parcours::rpc
