#ifndef PARCOURS_COMMON_TESTING_REDIS_FIXTURE_H_
#define PARCOURS_COMMON_TESTING_REDIS_FIXTURE_H_

#include <sys/types.h>

#include <initializer_list>
#include <string>
#include <string_view>

namespace parcours::testing {

// A redis-server of its own on a Unix socket in a temporary folder, without
// persistence. What cannot be done aborts the test. Not thread-safe; the server
// ends with the thread that started it.
class RedisFixture {
 public:
  // Starts the server.
  RedisFixture();
  // Ends it and removes the folder.
  ~RedisFixture();
  RedisFixture(const RedisFixture&) = delete;
  RedisFixture& operator=(const RedisFixture&) = delete;

  // unix:///..., the same over restarts.
  std::string url() const { return "unix://" + socket_path(); }
  std::string socket_path() const { return folder_ + "/redis.sock"; }

  // Starts it, empty and without scripts. Returns once it accepts connections.
  void Start();
  // Ends it at once (SIGKILL), paused or not.
  void Stop();
  // Stops it from running (SIGSTOP): connections are accepted by the kernel,
  // and nothing is answered.
  void Pause();
  // What was sent meanwhile is executed now.
  void Resume();
  // Removes all keys.
  void Flush();

  // The reply to one command, as text: "" for nil, "ERR ..." for errors.
  std::string Command(std::initializer_list<std::string_view> command);

 private:
  std::string folder_;
  pid_t server_ = -1;
  int output_ = -1;
};

}  // namespace parcours::testing

#endif  // PARCOURS_COMMON_TESTING_REDIS_FIXTURE_H_
