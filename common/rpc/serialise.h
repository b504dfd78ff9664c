#ifndef PARCOURS_COMMON_RPC_SERIALISE_H_
#define PARCOURS_COMMON_RPC_SERIALISE_H_

#include <string>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/message.h"

namespace parcours::rpc {

// The wire form of `message`, maps in the order of their keys: equal messages
// have equal bytes within one version of the contract.
inline std::string DeterministicBytes(
    const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream target(&bytes);
  google::protobuf::io::CodedOutputStream coded(&target);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_SERIALISE_H_
