// Where bodies end, and what is in their chunks.

#include "gateway/body_reader.h"

#include <gtest/gtest.h>

namespace poolwarden::gateway {
namespace {

struct Decoded {
  std::string data;
  std::size_t used = 0;
  bool done = false;
  bool bad = false;
};

// `step`: how many bytes arrive at a time.
Decoded decode(const std::string& bytes, std::size_t step) {
  BodyReader reader(Framing::Chunked, 0);
  Decoded result;
  std::size_t arrived = 0;
  while (arrived < bytes.size() && !reader.done() && !reader.bad()) {
    arrived = std::min(bytes.size(), arrived + step);
    std::size_t used;
    do {
      Pieces data;
      used =
          reader.take(std::string_view(bytes).substr(result.used, arrived - result.used), data, 0);
      data.for_each([&](std::string_view piece) { result.data += piece; });
      result.used += used;
    } while (used != 0);
  }
  result.done = reader.done();
  result.bad = reader.bad();
  return result;
}

TEST(BodyReader, TakesChunksOffHoweverTheyArrive) {
  const std::string bytes =
      "5\r\nhello\r\n6;ext=\"a;b\"\r\n world\r\n00a \r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nNEXT";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    const Decoded result = decode(bytes, step);
    ASSERT_TRUE(result.done) << step;
    ASSERT_EQ(result.data, "hello world0123456789") << step;
    ASSERT_EQ(bytes.substr(result.used), "NEXT") << step;
  }
}

TEST(BodyReader, GoesOnWhenThereAreMorePiecesThanRoom) {
  std::string bytes;
  for (int i = 0; i < 500; ++i) bytes += "1\r\nx\r\n";
  bytes += "0\r\n\r\n";
  const Decoded result = decode(bytes, bytes.size());
  EXPECT_TRUE(result.done);
  EXPECT_EQ(result.data, std::string(500, 'x'));
}

TEST(BodyReader, RejectsMalformedChunks) {
  const std::string cases[] = {
      "\r\n",
      "x\r\n",
      "-1\r\n",
      "+1\r\n",
      "0x5\r\nhello\r\n",
      "5\nhello\r\n",
      "5\rhello",
      "5\r\nhelloX",
      "5\r\nhello\nX",
      "5\r\nhello\r5",
      " 5\r\nhello\r\n",
      "5 5\r\n",
      "0\r\n\n",
      "0\r\nX: y\n",
      "5;a\nhello",
      "1000000000000000\r\n",
      "ffffffffffffffff\r\n",
      "5;\x01\r\n",
      "0\r\nX: \x7f\r\n",
      "5;" + std::string(20000, 'x'),
      "0\r\nX: " + std::string(20000, 'x'),
  };
  for (const std::string& bytes : cases) {
    EXPECT_TRUE(decode(bytes, 1).bad) << bytes.substr(0, 30);
    EXPECT_TRUE(decode(bytes, bytes.size()).bad) << bytes.substr(0, 30);
  }
}

TEST(BodyReader, EndsAtItsLength) {
  BodyReader reader(Framing::Length, 5);
  Pieces data;
  EXPECT_FALSE(reader.left_at_most(4));
  EXPECT_TRUE(reader.left_at_most(5));
  EXPECT_EQ(reader.take("hello, next", data, 0), 5u);
  EXPECT_EQ(data.bytes(), 5u);
  EXPECT_TRUE(reader.done());
  EXPECT_FALSE(BodyReader(Framing::Length, 5).end_of_stream());
  EXPECT_TRUE(BodyReader(Framing::UntilEof, 0).end_of_stream());
  EXPECT_TRUE(BodyReader(Framing::Length, 0).done());
}

TEST(ChunkFrame, PutsDataIntoAChunk) {
  const auto framed = [](std::string_view data, bool is_end) {
    Pieces pieces, out;
    pieces.add(data);
    ChunkFrame frame;
    frame.wrap(pieces, is_end, out);
    std::string text;
    out.for_each([&](std::string_view piece) { text += piece; });
    return text;
  };
  EXPECT_EQ(framed("hello, chunked world", false), "14\r\nhello, chunked world\r\n");
  EXPECT_EQ(framed("x", true), "1\r\nx\r\n0\r\n\r\n");
  EXPECT_EQ(framed("", true), "0\r\n\r\n");
  EXPECT_EQ(framed("", false), "");
}

TEST(Pieces, ForgetWhatIsSent) {
  Pieces pieces;
  pieces.add("abc");
  pieces.add("def");
  pieces.advance(4);
  EXPECT_EQ(pieces.bytes(), 2u);
  std::string left;
  pieces.for_each([&](std::string_view piece) { left += piece; });
  EXPECT_EQ(left, "ef");
  pieces.advance(2);
  EXPECT_TRUE(pieces.empty());
}

}  // namespace
}  // namespace poolwarden::gateway
