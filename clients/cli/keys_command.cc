#include "clients/cli/keys_command.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/keyring.h"
#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::cli {
namespace {

absl::Status FileError(const std::string& path) {
  return absl::FailedPreconditionError(Cat(path, " : ", std::strerror(errno)));
}

// Puts `content` in the place of the file at `path`, whole and synced, with its
// owner. A second command at the same time finds the new file and stops.
absl::Status Replace(const std::string& path, const std::string& content) {
  struct stat facts = {};
  if (stat(path.c_str(), &facts) != 0) return FileError(path);
  const std::string beside = Cat(path, ".new");
  const int file =
      open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return FileError(beside);
  bool replaced = false;
  const absl::Cleanup finish = [&] {
    close(file);
    if (!replaced) unlink(beside.c_str());
  };
  // Run by root, the service must still be able to read it.
  if (geteuid() == 0 && fchown(file, facts.st_uid, facts.st_gid) != 0) {
    return FileError(beside);
  }
  if (write(file, content.data(), content.size()) !=
          static_cast<ssize_t>(content.size()) ||
      fsync(file) != 0) {
    return FileError(beside);
  }
  if (std::rename(beside.c_str(), path.c_str()) != 0) return FileError(path);
  replaced = true;
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  const int opened = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const absl::Cleanup close_folder = [opened] {
    if (opened >= 0) close(opened);
  };
  return opened >= 0 && fsync(opened) == 0 ? absl::OkStatus()
                                           : FileError(folder.string());
}

struct Rotation {
  std::string former_id;
  std::string new_id;
};

absl::StatusOr<Rotation> Rotate(const std::string& given) {
  std::error_code error;
  // A symbolic link stays one.
  const std::string path = std::filesystem::canonical(given, error).string();
  if (error) {
    return absl::FailedPreconditionError(Cat(given, " : ", error.message()));
  }
  // Not made where it is missing: that is for the service.
  ASSIGN_OR_RETURN(const crypto::Keyring before, crypto::Keyring::Load(path));
  std::ifstream file(path);
  const std::string former{std::istreambuf_iterator<char>(file),
                           std::istreambuf_iterator<char>()};
  if (!file) return FileError(path);
  const std::string line = crypto::Keyring::NewLine();
  RETURN_IF_ERROR(Replace(path, Cat(line, "\n", former)));
  return Rotation{.former_id = before.current_id(),
                  .new_id = crypto::Keyring::MasterIdOf(line)};
}

}  // namespace

ExitCode RotateKeysCommand(const std::vector<std::string>& arguments,
                           std::ostream& out, std::ostream& errors) {
  if (arguments.size() != 1) {
    errors << "parcours keys rotate FILE\n";
    return kUsage;
  }
  const std::string& path = arguments[0];
  const auto rotation = Rotate(path);
  if (!rotation.ok()) {
    errors << rotation.status().message() << '\n';
    return kUsage;
  }
  out << path << " : la clé maîtresse est désormais " << rotation->new_id
      << " ; " << rotation->former_id
      << " et les précédentes restent dessous.\n"
         "À faire :\n"
         "  1. Redémarrer le service, toutes ses répliques ensemble : une "
         "réplique qui n’a pas la clé\n     nouvelle ne lirait pas ce que les "
         "autres écrivent.\n"
         "  2. Attendre que son journal dise « nothing is left under older "
         "master keys », master_key "
      << rotation->new_id
      << ".\n"
         "  3. Alors seulement, ôter la ligne de "
      << rotation->former_id
      << " et redémarrer. La garder ailleurs aussi longtemps\n     que les "
         "sauvegardes de la base d’avant : elles ne se lisent qu’avec elle.\n"
         "  4. Sauvegarder ce fichier à part des bases (docs/privacy.md).\n";
  return kSuccess;
}

}  // namespace parcours::cli
