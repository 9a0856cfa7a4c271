// Keys, their files, and who is let in with which.
// SPDX-License-Identifier: MIT
#include "wire/curve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"

namespace dp {
namespace {

using testing::HasSubstr;

// The pair of RFC 32's and zmq_curve_keypair(3)'s example.
constexpr const char* open_half = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
constexpr const char* secret_half = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

class KeyFile : public testing::Test {
 protected:
  std::filesystem::path path = testing::TempDir() + "dp-curve-test-" + std::to_string(::getpid());
  ~KeyFile() override { std::filesystem::remove(path); }
  void write(const std::string& text, mode_t mode = 0600) {
    std::ofstream(path) << text;
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
  }
  std::string refusal_of_key(Role wanted) {
    try {
      read_key(path, wanted);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  std::string refusal_of_list() {
    try {
      read_public_keys(path);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(KeyFile, IsReadAsItWasMade) {
  for (const Role role : every_role) {
    const KeyPair pair = make_key_pair(role);
    write(key_file_text(pair));
    const KeyPair read = read_key(path, role);
    EXPECT_EQ(read.open, pair.open);
    EXPECT_EQ(read.secret, pair.secret);
  }
}

TEST_F(KeyFile, TwoKeysDiffer) {
  EXPECT_NE(make_key_pair(Role::infer).secret, make_key_pair(Role::infer).secret);
}

TEST_F(KeyFile, ThePairOfTheManualBelongsTogether) {
  write(std::string("infer ") + open_half + " " + secret_half + "\n");
  EXPECT_EQ(read_key(path, Role::infer).open, open_half);
}

TEST_F(KeyFile, ThatOthersMayReadIsRefused) {
  for (const mode_t mode : {0604, 0640, 0644, 0620, 0601, 0666}) {
    write(key_file_text(make_key_pair(Role::infer)), mode);
    EXPECT_THAT(refusal_of_key(Role::infer), HasSubstr("chmod 600 " + path.string()));
  }
}

TEST_F(KeyFile, OfAnotherRoleIsRefused) {
  write(key_file_text(make_key_pair(Role::stream)));
  EXPECT_THAT(refusal_of_key(Role::infer), HasSubstr("the key of a dp-stream, not of a dp-infer"));
}

TEST_F(KeyFile, ThatIsNoneIsRefused) {
  const KeyPair one = make_key_pair(Role::infer), other = make_key_pair(Role::infer);
  for (const std::string& text :
       {std::string(), std::string("# nothing\n"), public_line(one), "infer " + one.open + " " + other.secret,
        "infer " + one.open.substr(1) + " " + one.secret, "worker " + one.open + " " + one.secret,
        "infer " + one.open + " " + one.secret + " more", std::string(1000, 'x')}) {
    write(text);
    EXPECT_THAT(refusal_of_key(Role::infer), HasSubstr("infer.key")) << text;
  }
  EXPECT_THROW(read_key(path.string() + ".missing", Role::infer), Error);
}

TEST_F(KeyFile, AListNamesOwnersOfKeys) {
  const KeyPair stream = make_key_pair(Role::stream), one = make_key_pair(Role::infer),
                two = make_key_pair(Role::infer);
  write("# who may speak\n\n" + public_line(stream) + "  " + public_line(one, "first of two") +
            public_line(two),
        0644);
  const PublicKeys keys = read_public_keys(path);
  EXPECT_EQ(keys,
            (PublicKeys{{stream.open, Role::stream}, {one.open, Role::infer}, {two.open, Role::infer}}));
}

TEST_F(KeyFile, AListThatIsNoneSaysWhichLine) {
  const KeyPair pair = make_key_pair(Role::infer);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "no keys in it"},
      {"# only words\n", "no keys in it"},
      {public_line(pair) + "worker " + pair.open, ":2: 'worker' is none of stream"},
      {"infer\n", ":1: no public key"},
      {"infer " + pair.open.substr(1), ":1: no public key"},
      {"infer " + std::string(40, '"'), ":1: no public key"},
      {key_file_text(pair), ":2: a secret key"},
      {public_line(pair) + "stream " + pair.open, ":2: this key is also that of a dp-infer"},
  };
  for (const auto& [text, wanted] : cases) {
    write(text);
    EXPECT_THAT(refusal_of_list(), HasSubstr(wanted)) << text;
  }
}

TEST_F(KeyFile, OneServerHasOneKey) {
  const KeyPair pair = make_key_pair(Role::collect);
  PublicKeys keys{{pair.open, Role::collect}};
  EXPECT_EQ(key_of(keys, Role::collect, path), pair.open);
  EXPECT_THROW(key_of(keys, Role::route, path), Error);
  keys[make_key_pair(Role::collect).open] = Role::collect;
  EXPECT_THROW(key_of(keys, Role::collect, path), Error);
}

}  // namespace
}  // namespace dp
