#ifndef PARCOURS_COMMON_IDENTITY_JOSE_H_
#define PARCOURS_COMMON_IDENTITY_JOSE_H_

#include <cjose/cjose.h>

#include <cstdlib>
#include <memory>

namespace parcours::identity {

// Owners of what cjose hands out.

struct ReleaseJwk {
  void operator()(cjose_jwk_t* key) const { cjose_jwk_release(key); }
};
using Jwk = std::unique_ptr<cjose_jwk_t, ReleaseJwk>;

struct ReleaseJws {
  void operator()(cjose_jws_t* jws) const { cjose_jws_release(jws); }
};
using Jws = std::unique_ptr<cjose_jws_t, ReleaseJws>;

struct ReleaseHeader {
  void operator()(cjose_header_t* header) const {
    cjose_header_release(header);
  }
};
using JwsHeader = std::unique_ptr<cjose_header_t, ReleaseHeader>;

struct FreeText {
  void operator()(char* text) const { std::free(text); }
};
using JoseText = std::unique_ptr<char, FreeText>;

}  // namespace parcours::identity

#endif  // PARCOURS_COMMON_IDENTITY_JOSE_H_
