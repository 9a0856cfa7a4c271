// The journal on a real disk: what is kept, what is cut off, who may have it, and that a failure is final.
// SPDX-License-Identifier: MIT
#include "collect/journal_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "sample_journal.hpp"

namespace dp {
namespace {

using sample::joined;
using sample::one_record_of_each;
using sample::opened;
using sample::written;
using testing::AllOf;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

class JournalFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "dp-journal-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = folder_ / "journal";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void put(std::string_view bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }
  std::string held() const { return read_text(path_); }
  /// Opens the journal; what it replays, as bytes a record, goes to `replayed_`.
  std::unique_ptr<JournalFile> open() {
    replayed_.clear();
    return std::make_unique<JournalFile>(
        path_, [&](JournalRecord&& record) { replayed_.push_back(written(std::move(record))); });
  }
  void expect_refused(const char* why) {
    SCOPED_TRACE(why);
    EXPECT_THAT([&] { open(); }, ThrowsMessage<Error>(AllOf(HasSubstr(path_.string()), HasSubstr(why))));
  }

  std::filesystem::path folder_, path_;
  std::vector<std::string> replayed_;
};

bool readable(int descriptor, int within_ms = 0) {
  pollfd waiting{descriptor, POLLIN, 0};
  return ::poll(&waiting, 1, within_ms) == 1;
}

/// Waits until the journal has so many groups.
void wait_for(JournalFile& journal, std::uint64_t groups) {
  while (journal.durable() < groups) {
    ASSERT_TRUE(readable(journal.descriptor(), 20'000)) << "nothing was heard of the disk";
  }
}

/// While it lives, files of this process end after so many bytes.
class SizeLimit {
 public:
  explicit SizeLimit(std::uint64_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(JournalFiles, TwoGroupsAreDurableAndComeBack) {
  const auto records = one_record_of_each();
  {
    const auto journal = open();
    EXPECT_EQ(journal->durable(), 0U);
    journal->append(records[0] + records[1]);
    journal->append(joined({records.begin() + 2, records.end()}));
    wait_for(*journal, 2);
    EXPECT_EQ(journal->durable(), 2U);
    EXPECT_EQ(held(), joined(records));
  }
  EXPECT_EQ(open()->torn(), 0U);
  EXPECT_THAT(replayed_, ElementsAreArray(records));
}

TEST_F(JournalFiles, TheDescriptorTellsOfNewsOnce) {
  const auto journal = open();
  EXPECT_FALSE(readable(journal->descriptor()));
  journal->append(written(opened()));
  journal->close();
  wait_for(*journal, 1);
  EXPECT_FALSE(readable(journal->descriptor()));
}

TEST_F(JournalFiles, ClosingWaitsForEveryGroup) {
  std::string all;
  {
    const auto journal = open();
    for (std::uint64_t i = 0; i < 2000; ++i) {
      const std::string record = i ? written(Eos{i}) : written(opened());
      all += record;
      journal->append(record);
    }
    journal->close();
    EXPECT_EQ(journal->durable(), 2000U);
  }
  EXPECT_EQ(held(), all);
}

TEST_F(JournalFiles, ClosingAnUnusedOneReturns) { EXPECT_NO_THROW(open()->close()); }

TEST_F(JournalFiles, WhatIsForgottenDoesNotComeBack) {
  put(joined(one_record_of_each()));
  {
    const auto journal = open();
    journal->forget();
    journal->append(written(opened()));
    journal->close();
  }
  EXPECT_EQ(held(), written(opened()));
}

TEST_F(JournalFiles, MissingFoldersAreMade) {
  path_ = folder_ / "a/b/journal";
  EXPECT_NO_THROW(open()->close());
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(JournalFiles, ANameWithoutAFolderIsInTheCurrentOne) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  path_ = "journal";
  EXPECT_NO_THROW(open()->close());
  std::filesystem::current_path(before);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "journal"));
}

TEST_F(JournalFiles, ATornTailIsCutOffAtEveryOffsetOfTheLastThreeRecordsAndTheRunGoesOn) {
  const std::vector<std::string> records{written(opened()), written(Happened{Time(Duration(1)), "x"}),
                                         written(Eos{2}), written(Ended{})};
  const std::string all = joined(records);
  std::size_t begin = all.size();
  for (std::size_t i = 1; i <= 3; ++i) begin -= records[records.size() - i].size();
  for (std::size_t size = begin; size <= all.size(); ++size) {
    SCOPED_TRACE(size);
    put(all.substr(0, size));
    std::size_t good = 0, kept = 0;
    while (kept < records.size() && good + records[kept].size() <= size) good += records[kept++].size();
    {
      const auto journal = open();
      EXPECT_EQ(journal->torn(), size - good);
      EXPECT_EQ(held(), all.substr(0, good));
      EXPECT_EQ(replayed_.size(), kept);
      journal->append(written(opened()));
      journal->close();
    }
    EXPECT_EQ(open()->torn(), 0U);
    EXPECT_EQ(replayed_.size(), kept + 1);
  }
}

TEST_F(JournalFiles, ATornFirstRecordIsCutOff) {
  const std::string first = written(opened());
  put(first.substr(0, first.size() - 1));
  EXPECT_EQ(open()->torn(), first.size() - 1);
  EXPECT_THAT(held(), IsEmpty());
}

TEST_F(JournalFiles, WhatIsNotAJournalIsRefusedAndLeftAsItIs) {
  const std::string damaged = written(opened()) + "?" + written(Ended{});
  for (const auto& [bytes, why] : std::vector<std::pair<std::string, const char*>>{
           {"dear diary,\n", "not a journal"},
           {std::string(100'000, 'x'), "not a journal"},
           {"42\n", "too few"},
           {std::string(5, '\0'), "too few"},
           {written(Ended{}), "beginning is missing"},
           {damaged, "damaged"},
       }) {
    put(bytes);
    const auto before = std::filesystem::last_write_time(path_);
    expect_refused(why);
    EXPECT_EQ(held(), bytes);
    EXPECT_EQ(std::filesystem::last_write_time(path_), before);
  }
}

TEST_F(JournalFiles, WhatIsNotAFileIsRefused) {
  path_ = folder_;
  expect_refused("Is a directory");
  path_ = "/dev/full";
  expect_refused("not a regular file");
  path_ = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  expect_refused("not a regular file");
  path_ = folder_ / "pipe/journal";
  EXPECT_THROW(open(), Error);
}

TEST_F(JournalFiles, OnlyOneMayHaveIt) {
  auto first = open();
  expect_refused("in use by another dp-collect");
  first.reset();
  EXPECT_NO_THROW(open());
}

TEST_F(JournalFiles, AFailedWriteIsFinal) {
  const std::string first = written(opened()), second = written(Eos{1});
  {
    const auto journal = open();
    journal->append(first);
    journal->close();
    {
      const SizeLimit limit(first.size() + 5);
      journal->append(second);
      EXPECT_THROW(journal->close(), Error);
    }
    EXPECT_TRUE(readable(journal->descriptor()));
    const auto final = ThrowsMessage<Error>(
        AllOf(HasSubstr(path_.string()), HasSubstr("File too large"), HasSubstr("ulimit -f"),
              HasSubstr("start dp-collect again with the same --journal")));
    EXPECT_THAT([&] { journal->durable(); }, final);
    journal->append(second);
    EXPECT_THAT([&] { journal->durable(); }, final);
    EXPECT_THAT([&] { journal->close(); }, final);
    EXPECT_FALSE(readable(journal->descriptor(), 100)) << "it was tried again";
    EXPECT_EQ(held(), first + second.substr(0, 5));
  }
  const auto again = open();
  EXPECT_EQ(again->torn(), 5U);
  EXPECT_THAT(replayed_, ElementsAreArray({first}));
  again->append(second);
  again->close();
  EXPECT_EQ(held(), first + second);
}

TEST_F(JournalFiles, WhoeverWaitsHearsOfAFailure) {
  const auto journal = open();
  const SizeLimit limit(0);
  journal->append(written(opened()));
  EXPECT_THROW(wait_for(*journal, 1), Error);
}

TEST_F(JournalFiles, OpeningFailsWhereNothingCanBeKept) {
  path_ = "/proc/journal";
  EXPECT_THROW(open(), Error);
}

}  // namespace
}  // namespace dp
