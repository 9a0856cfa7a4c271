// SPDX-License-Identifier: MIT
#include "collect/journal.hpp"

#include <zlib.h>

#include <array>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "wire/fields.hpp"

namespace dp {
namespace {

/// What stands before a body; the checksum is of everything behind it.
struct Head {
  std::uint32_t checksum = 0, length = 0, type = 0;
};
static_assert(sizeof(Head) == 12);

constexpr std::size_t types = std::variant_size_v<JournalRecord>;
constexpr std::size_t longest_body = std::size_t{32} << 20;
constexpr std::size_t longest_opened = 255;  ///< its body, to tell a torn one from a file of another kind

std::uint32_t crc(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

/// How a body of each type begins: MessagePack's mark of an array of so many fields.
constexpr auto first_bytes = []<std::size_t... I>(std::index_sequence<I...>) {
  return std::array{static_cast<char>(0x90 | fields::count<std::variant_alternative_t<I, JournalRecord>>)...};
}
(std::make_index_sequence<types>());

Head head_at(std::string_view file, std::size_t at) {
  Head head;
  std::memcpy(&head, file.data() + at, sizeof head);
  return head;
}

/// Bytes of the record that begins there; 0 if none does.
std::size_t good_record(std::string_view file, std::size_t at) {
  if (file.size() - at < sizeof(Head)) return 0;
  const Head head = head_at(file, at);
  if (head.length == 0 || head.length > longest_body || head.length > file.size() - at - sizeof head)
    return 0;
  constexpr std::size_t skipped = sizeof head.checksum;
  const std::size_t size = sizeof head + head.length;
  return crc(file.substr(at + skipped, size - skipped)) == head.checksum ? size : 0;
}

/// The first good record that begins at `at` or later.
std::optional<std::size_t> find_good(std::string_view file, std::size_t at) {
  for (; at + sizeof(Head) < file.size(); ++at) {
    const std::uint32_t type = head_at(file, at).type;
    if (type < types && file[at + sizeof(Head)] == first_bytes[type] && good_record(file, at)) return at;
  }
  return std::nullopt;
}

/// As short as a first record, and where a length, a type and the body begin it says what one says, or nothing.
bool maybe_torn_opened(std::string_view file) {
  if (file.size() > sizeof(Head) + longest_opened) return false;
  Head head;
  file.copy(reinterpret_cast<char*>(&head), sizeof head);
  const char first = file.size() > sizeof head ? file[sizeof head] : '\0';
  return head.length <= longest_opened && head.type == 0 && (first == first_bytes[0] || first == '\0');
}

JournalRecord decode(std::uint32_t type, std::string_view body) {
  if (type >= types) throw MalformedFrame("unknown type {}", type);
  msgpack::zone zone;
  std::size_t end = 0;
  const auto values = fields::unpack_array(zone, body, body.size(), end);
  if (type == 0 && (values.empty() || values[0].as<std::uint64_t>() != journal_format)) {
    throw MalformedFrame("its format is not {}", journal_format);
  }
  auto record = fields::make_by_number<JournalRecord>(type);
  std::visit(
      [&](auto& of_type) {
        fields::unpack_all(values, of_type);
        fields::read_columns(body.substr(end), of_type);
        fields::check(of_type);
      },
      record);
  return record;
}

JournalRecord record_at(std::string_view file, std::size_t at, std::size_t size) {
  const auto refuse = [&](const char* why) {
    return Error(
        "the record at byte {} is whole, but {}: another version of dp-collect wrote it; use that one, or "
        "begin a new run with another --journal",
        at, why);
  };
  try {
    return decode(head_at(file, at).type, file.substr(at + sizeof(Head), size - sizeof(Head)));
  } catch (const MalformedFrame& problem) {
    throw refuse(problem.what());
  } catch (const msgpack::unpack_error& problem) {
    throw refuse(problem.what());
  } catch (const msgpack::type_error&) {
    throw refuse("a field has the wrong type");
  }
}

}  // namespace

void append_record(std::string& to, JournalRecord& record) {
  const std::size_t at = to.size();
  to.resize(at + sizeof(Head));
  std::visit(
      [&]<class M>(M& of_type) {
        msgpack::sbuffer buffer(256);
        fields::Packer packer(buffer);
        packer.pack_array(static_cast<std::uint32_t>(fields::count<M>));
        fields::pack_all(packer, of_type);
        to.append(buffer.data(), buffer.size());
        fields::append_columns(to, of_type);
      },
      record);
  Head head;
  const std::size_t length = to.size() - at - sizeof head;
  if (length > longest_body) {
    to.resize(at);
    throw Error("a journal record of {} bytes exceeds {}", length, longest_body);
  }
  head.length = static_cast<std::uint32_t>(length);
  head.type = static_cast<std::uint32_t>(record.index());
  std::memcpy(to.data() + at, &head, sizeof head);
  head.checksum = crc(std::string_view(to).substr(at + sizeof head.checksum));
  std::memcpy(to.data() + at, &head.checksum, sizeof head.checksum);
}

std::size_t read_journal(std::span<const std::byte> bytes,
                         const std::function<void(JournalRecord&&)>& replay) {
  const std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::size_t at = 0;
  while (const std::size_t size = good_record(file, at)) {
    JournalRecord record = record_at(file, at, size);
    if (at == 0 && !std::holds_alternative<Opened>(record)) {
      throw Error(
          "its beginning is missing: restore it from a copy, or begin a new run with another --journal");
    }
    replay(std::move(record));
    at += size;
  }
  if (at == 0 && !maybe_torn_opened(file)) {
    throw Error("not a journal, or damaged from its first byte: give --journal a file that is not there yet");
  }
  if (const auto later = find_good(file, at + 1)) {
    throw Error(
        "damaged: the record at byte {} is bad and one at byte {} is good, so no crash left it; restore it "
        "from a "
        "copy, or begin a new run with another --journal",
        at, *later);
  }
  return at;
}

}  // namespace dp
