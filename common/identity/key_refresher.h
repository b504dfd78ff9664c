#ifndef PARCOURS_COMMON_IDENTITY_KEY_REFRESHER_H_
#define PARCOURS_COMMON_IDENTITY_KEY_REFRESHER_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "common/identity/issuer_keys.h"

namespace parcours::identity {

// Reads the keys of issuers when they are due, on one thread, until destroyed.
class KeyRefresher {
 public:
  // `keys` outlive this. `now` is real time.
  KeyRefresher(std::vector<IssuerKeys*> keys, std::function<absl::Time()> now);
  ~KeyRefresher();
  KeyRefresher(const KeyRefresher&) = delete;
  KeyRefresher& operator=(const KeyRefresher&) = delete;

  // Looks again at what is due. Does not block; from any thread.
  void Wake();

 private:
  void Run();

  const std::vector<IssuerKeys*> keys_;
  const std::function<absl::Time()> now_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace parcours::identity

#endif  // PARCOURS_COMMON_IDENTITY_KEY_REFRESHER_H_
