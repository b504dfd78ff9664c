#include "common/rpc/trace.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>

namespace parcours::rpc {
namespace {

constexpr std::size_t kTraceIdAt = 3;
constexpr std::size_t kTraceIdLength = 32;
constexpr std::size_t kSpanIdAt = kTraceIdAt + kTraceIdLength + 1;
constexpr std::size_t kSpanIdLength = 16;
constexpr std::size_t kFlagsAt = kSpanIdAt + kSpanIdLength + 1;
constexpr std::size_t kLength = kFlagsAt + 2;

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

bool IsZero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

bool IsTraceparent(std::string_view text) {
  return text.size() == kLength && text.starts_with("00-") &&
         text[kSpanIdAt - 1] == '-' && text[kFlagsAt - 1] == '-' &&
         IsHex(text.substr(kTraceIdAt, kTraceIdLength)) &&
         IsHex(text.substr(kSpanIdAt, kSpanIdLength)) &&
         IsHex(text.substr(kFlagsAt)) &&
         !IsZero(text.substr(kTraceIdAt, kTraceIdLength)) &&
         !IsZero(text.substr(kSpanIdAt, kSpanIdLength));
}

// Ids need to be unique, not secret: a generator for each thread costs no
// system call.
uint64_t RandomBits() {
  thread_local std::mt19937_64 generator{[] {
    std::random_device device;
    return (uint64_t{device()} << 32) | device();
  }()};
  return generator() | 1;
}

void WriteHex(uint64_t bits, char* target) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (int i = 15; i >= 0; --i, bits >>= 4) target[i] = kDigits[bits & 0xF];
}

}  // namespace

Trace ContinueTrace(std::string_view traceparent) {
  Trace trace;
  if (IsTraceparent(traceparent)) {
    trace.traceparent = std::string(traceparent);
  } else {
    trace.traceparent =
        "00-00000000000000000000000000000000-0000000000000000-00";
    WriteHex(RandomBits(), &trace.traceparent[kTraceIdAt]);
    WriteHex(RandomBits(), &trace.traceparent[kTraceIdAt + 16]);
  }
  WriteHex(RandomBits(), &trace.traceparent[kSpanIdAt]);
  trace.trace_id = trace.traceparent.substr(kTraceIdAt, kTraceIdLength);
  return trace;
}

}  // namespace parcours::rpc
