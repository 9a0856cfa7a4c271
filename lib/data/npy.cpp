// SPDX-License-Identifier: MIT
#include "data/npy.hpp"

#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "base/error.hpp"

namespace dp {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t version_at = 6, length_at = 8;
constexpr std::size_t longest_header = 65'536, most_dimensions = 32;  // NumPy's own limit on dimensions

struct Known {
  NpyType type;
  std::string_view code, name;
  std::size_t size;
};
constexpr Known known[] = {
    {NpyType::u8, "u1", "uint8", 1},   {NpyType::u16, "u2", "uint16", 2}, {NpyType::u32, "u4", "uint32", 4},
    {NpyType::u64, "u8", "uint64", 8}, {NpyType::i8, "i1", "int8", 1},    {NpyType::i16, "i2", "int16", 2},
    {NpyType::i32, "i4", "int32", 4},  {NpyType::i64, "i8", "int64", 8},  {NpyType::f32, "f4", "float32", 4},
};

const Known& facts(NpyType type) { return known[static_cast<std::size_t>(type)]; }

/// The text of a Python literal, read from the front.
class Literal {
 public:
  explicit Literal(std::string_view text) : rest_(text) {}

  /// True, and gone past it, if this character is next after blanks.
  bool take(char c) {
    blanks();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(fmt::format("expected '{}'", c));
  }
  bool take_word(std::string_view word) {
    blanks();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::string text() {
    const char quote = take('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const auto end = rest_.find(quote);
    if (end == std::string_view::npos) fail("a text without an end");
    std::string value(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return value;
  }
  std::uint64_t number() {
    blanks();
    std::uint64_t value = 0;
    const auto [end, problem] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (problem != std::errc{}) fail("expected a whole number of 64 bits from 0");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  void finish() {
    blanks();
    if (!rest_.empty()) fail("expected its end");
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw Error("its header cannot be read: {} before '{}' (save the array again with numpy.save)", what,
                rest_.substr(0, 40));
  }

 private:
  void blanks() {
    const auto at = rest_.find_first_not_of(" \t\n\r");
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at);
  }
  std::string_view rest_;
};

std::vector<std::uint64_t> parse_shape(Literal& header) {
  std::vector<std::uint64_t> shape;
  header.expect('(');
  while (!header.take(')')) {
    if (shape.size() == most_dimensions) header.fail("more than 32 dimensions");
    shape.push_back(header.number());
    if (header.take(',')) continue;
    header.expect(')');
    break;
  }
  return shape;
}

NpyType parse_type(Literal& header) {
  if (header.take('['))
    throw Error("an array of records: save the field with the pixels alone, as uint8 or float32");
  const std::string descr = header.text();
  const std::string_view code = std::string_view(descr).substr(std::min<std::size_t>(1, descr.size()));
  for (const Known& one : known) {
    if (code != one.code) continue;
    if (descr[0] == '>' && one.size > 1)
      throw Error("dtype '{}' is big-endian: save it little-endian, as array.astype('<{}')", descr, code);
    if (descr[0] == '<' || descr[0] == '|' || descr[0] == '>') return one.type;
  }
  throw Error("dtype '{}': give pixels as uint8 or float32 (array.astype('float32')), labels as integers",
              descr);
}

struct Header {
  std::optional<NpyType> type;
  std::optional<bool> fortran;
  std::optional<std::vector<std::uint64_t>> shape;
};

void parse_entry(Literal& text, Header& header) {
  const std::string key = text.text();
  text.expect(':');
  if (key == "descr" && !header.type) {
    header.type = parse_type(text);
  } else if (key == "fortran_order" && !header.fortran) {
    header.fortran = text.take_word("True");
    if (!*header.fortran && !text.take_word("False")) text.fail("expected True or False");
  } else if (key == "shape" && !header.shape) {
    header.shape = parse_shape(text);
  } else {
    text.fail(fmt::format("'{}' is unknown or named twice", key));
  }
}

Header parse_header(std::string_view dict) {
  Literal text(dict);
  Header header;
  text.expect('{');
  while (!text.take('}')) {
    parse_entry(text, header);
    if (text.take(',')) continue;
    text.expect('}');
    break;
  }
  text.finish();
  if (!header.type || !header.fortran || !header.shape) text.fail("descr, fortran_order or shape is missing");
  return header;
}

/// Where the elements begin, and the header's text.
std::pair<std::size_t, std::string_view> header_of(std::span<const std::byte> file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (text.starts_with("PK")) throw Error("an .npz archive: save one array with numpy.save, uncompressed");
  if (!text.starts_with(magic) || text.size() < length_at + 2)
    throw Error("not an .npy file (it does not begin with \\x93NUMPY): save the array with numpy.save");
  const auto byte = [&](std::size_t at) { return std::to_integer<std::size_t>(file[at]); };
  const std::size_t version = byte(version_at), bytes = version == 1 ? 2 : 4;
  if (version < 1 || version > 3)
    throw Error("version {} of the .npy format, known are 1 to 3: save it again with numpy.save", version);
  if (text.size() < length_at + bytes) throw Error("{} bytes: cut off within the header", text.size());
  std::size_t length = 0;
  for (std::size_t i = bytes; i-- > 0;) length = length << 8 | byte(length_at + i);
  if (length > longest_header) throw Error("a header of {} bytes: at most {}", length, longest_header);
  if (length > text.size() - length_at - bytes)
    throw Error("a header of {} bytes in a file of {}: cut off, copy it again", length, text.size());
  return {length_at + bytes + length, text.substr(length_at + bytes, length)};
}

template <class T>
T element(std::span<const std::byte> bytes, std::uint64_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at * sizeof(T), sizeof value);
  return value;
}

}  // namespace

std::size_t element_size(NpyType type) { return facts(type).size; }

std::string_view name_of(NpyType type) { return facts(type).name; }

NpyArray parse_npy(std::span<const std::byte> file) {
  const auto [begin, text] = header_of(file);
  Header header = parse_header(text);
  const auto dimensions = fmt::format("{}", fmt::join(*header.shape, "x"));
  if (*header.fortran && header.shape->size() > 1)
    throw Error("in Fortran order: save it as numpy.ascontiguousarray(array)");
  std::uint64_t size = element_size(*header.type);
  for (const std::uint64_t n : *header.shape) {
    if (__builtin_mul_overflow(size, n, &size)) throw Error("shape {} overflows 64 bits", dimensions);
  }
  const auto data = file.subspan(begin);
  if (size != data.size()) {
    throw Error("its header says {} of {}, {} bytes, and {} bytes follow: {}", dimensions,
                name_of(*header.type), size, data.size(),
                size > data.size() ? "cut off, copy it again" : "save it again with numpy.save");
  }
  return {*header.type, std::move(*header.shape), data};
}

std::int64_t npy_integer(const NpyArray& array, std::uint64_t at) {
  switch (array.type) {
    case NpyType::u8:
      return element<std::uint8_t>(array.bytes, at);
    case NpyType::u16:
      return element<std::uint16_t>(array.bytes, at);
    case NpyType::u32:
      return element<std::uint32_t>(array.bytes, at);
    case NpyType::i8:
      return element<std::int8_t>(array.bytes, at);
    case NpyType::i16:
      return element<std::int16_t>(array.bytes, at);
    case NpyType::i32:
      return element<std::int32_t>(array.bytes, at);
    case NpyType::u64:  // beyond 63 bits it is negative, and refused as such
    case NpyType::i64:
      return element<std::int64_t>(array.bytes, at);
    case NpyType::f32:
      break;
  }
  return -1;
}

std::string npy_header(NpyType type, const std::vector<std::uint64_t>& shape) {
  const Known& kind = facts(type);
  std::string dict = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                 kind.size == 1 ? '|' : '<', kind.code, fmt::join(shape, ", "),
                                 shape.size() == 1 ? "," : "");
  constexpr std::size_t before = length_at + 2, alignment = 64;
  dict.append((alignment - (before + dict.size() + 1) % alignment) % alignment, ' ');
  dict += '\n';
  std::string text(magic);
  for (const std::size_t byte : {std::size_t{1}, std::size_t{0}, dict.size() & 0xFF, dict.size() >> 8})
    text += static_cast<char>(byte);
  return text + dict;
}

}  // namespace dp
