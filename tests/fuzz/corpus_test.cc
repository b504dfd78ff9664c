// Every target on every input that is kept in tests/fuzz/corpus.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/fuzz/target.h"

namespace parcours::fuzz {
namespace {

const std::filesystem::path& Corpus() {
  static const auto& corpus = *new std::filesystem::path(PARCOURS_FUZZ_CORPUS);
  return corpus;
}

class CorpusTest : public ::testing::TestWithParam<Target> {};

TEST_P(CorpusTest, IsSurvived) {
  // Where an abort of this process comes from.
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(Corpus() / GetParam().name)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  EXPECT_GE(files.size(), 3U) << "a corpus needs seeds";
  std::vector<Target> all = {GetParam()};
  all.swap(Targets());
  for (const std::filesystem::path& path : files) {
    RecordProperty("input", path.filename().string());
    std::ifstream file(path, std::ios::binary);
    const std::string input((std::istreambuf_iterator<char>(file)), {});
    LLVMFuzzerTestOneInput(reinterpret_cast<const unsigned char*>(input.data()),
                           input.size());
  }
  // And on nothing at all.
  LLVMFuzzerTestOneInput(nullptr, 0);
  all.swap(Targets());
}

INSTANTIATE_TEST_SUITE_P(Targets, CorpusTest, ::testing::ValuesIn(Targets()),
                         [](const auto& info) -> std::string {
                           return info.param.name;
                         });

TEST(CorpusTest, BelongsToATarget) {
  int folders = 0;
  for (const auto& entry : std::filesystem::directory_iterator(Corpus())) {
    const std::string name = entry.path().filename();
    EXPECT_TRUE(
        std::any_of(Targets().begin(), Targets().end(),
                    [&](const Target& target) { return name == target.name; }))
        << name;
    ++folders;
  }
  EXPECT_GE(folders, 15);
}

}  // namespace
}  // namespace parcours::fuzz
