#include "common/testing/redis_fixture.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace parcours::testing {
namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::perror(what);
  std::abort();
}

}  // namespace

RedisFixture::RedisFixture() {
  // Not TMPDIR: a socket's path has 107 bytes at most.
  char folder[] = "/tmp/parcours-redis-XXXXXX";
  Require(mkdtemp(folder) != nullptr, "mkdtemp");
  folder_ = folder;
  Start();
}

RedisFixture::~RedisFixture() {
  if (server_ > 0) Stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void RedisFixture::Start() {
  Require(server_ < 0, "redis-server runs already");
  int output[2];
  Require(pipe2(output, O_CLOEXEC) == 0, "pipe2");
  const std::string socket = socket_path();
  const char* const arguments[] = {"redis-server",
                                   "--port",
                                   "0",
                                   "--unixsocket",
                                   socket.c_str(),
                                   "--save",
                                   "",
                                   "--appendonly",
                                   "no",
                                   "--dir",
                                   folder_.c_str(),
                                   "--daemonize",
                                   "no",
                                   "--logfile",
                                   "",
                                   nullptr};
  server_ = fork();
  Require(server_ >= 0, "fork");
  if (server_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(output[1], STDOUT_FILENO);
    execvp(arguments[0], const_cast<char* const*>(arguments));
    _exit(127);
  }
  close(output[1]);
  output_ = output[0];
  std::string log;
  while (log.find("eady to accept connections") == std::string::npos) {
    char buffer[4096];
    const ssize_t count = read(output_, buffer, sizeof(buffer));
    if (count <= 0) std::fputs(log.c_str(), stderr);
    Require(count > 0, "redis-server does not start");
    log.append(buffer, static_cast<size_t>(count));
  }
}

void RedisFixture::Stop() {
  Require(kill(server_, SIGKILL) == 0, "kill");
  Require(waitpid(server_, nullptr, 0) == server_, "waitpid");
  close(output_);
  server_ = -1;
}

void RedisFixture::Pause() {
  Require(kill(server_, SIGSTOP) == 0, "kill");
  int status = 0;
  Require(waitpid(server_, &status, WUNTRACED) == server_ && WIFSTOPPED(status),
          "waitpid");
}

void RedisFixture::Resume() {
  Require(kill(server_, SIGCONT) == 0, "kill");
  int status = 0;
  Require(
      waitpid(server_, &status, WCONTINUED) == server_ && WIFCONTINUED(status),
      "waitpid");
}

void RedisFixture::Flush() { Command({"FLUSHALL"}); }

std::string RedisFixture::Command(
    std::initializer_list<std::string_view> command) {
  std::vector<const char*> arguments;
  std::vector<size_t> lengths;
  for (const std::string_view argument : command) {
    arguments.push_back(argument.data());
    lengths.push_back(argument.size());
  }
  redisContext* const context = redisConnectUnix(socket_path().c_str());
  Require(context != nullptr && context->err == 0, "connect to redis-server");
  auto* const reply = static_cast<redisReply*>(
      redisCommandArgv(context, static_cast<int>(arguments.size()),
                       arguments.data(), lengths.data()));
  Require(reply != nullptr, "command to redis-server");
  std::string text;
  if (reply->type == REDIS_REPLY_INTEGER) {
    text = std::to_string(reply->integer);
  } else if (reply->str != nullptr) {
    text.assign(reply->str, reply->len);
  }
  freeReplyObject(reply);
  redisFree(context);
  return text;
}

}  // namespace parcours::testing
