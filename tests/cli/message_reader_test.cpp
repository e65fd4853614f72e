// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/message_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fanfare::cli {

namespace {

/// "type:data" of each message.
std::vector<std::string> put_all(message_reader& to, std::string_view text,
                                 std::size_t step) {
  std::vector<std::string> out;
  while (!text.empty()) {
    EXPECT_TRUE(to.put(text.substr(0, step), [&](const stream_message& m) {
      out.push_back(m.type + ':' + m.data);
    }));
    text.remove_prefix(std::min(step, text.size()));
  }
  return out;
}

using texts = std::vector<std::string>;

TEST(MessageReaderTest, ReadsMessagesInPiecesOfAnySize) {
  const std::string text = "retry: 2000\nid: 1\n\n"
                           ": a comment\n"
                           "id: 2\nevent: call\ndata: {}\n\n"
                           "data:one\ndata:  two\ndata\nid: 3\n\n"
                           "event: lost\ndata: without its end\n";
  for (std::size_t step = 1; step < text.size(); ++step) {
    message_reader reader;
    EXPECT_EQ(put_all(reader, text, step),
              (texts{"call:{}", "message:one\n two\n"}));
    EXPECT_EQ(reader.last_id(), "3");
  }
}

TEST(MessageReaderTest, TakesAllEndsOfLines) {
  for (const std::string end : {"\n", "\r", "\r\n"}) {
    message_reader reader;
    const auto text = "id: 7" + end + "data: a" + end + end + "data: b" + end
                    + end;
    EXPECT_EQ(put_all(reader, text, 1), (texts{"message:a", "message:b"}));
    EXPECT_EQ(reader.last_id(), "7");
  }
}

TEST(MessageReaderTest, ForgetsWhatWasNotComplete) {
  message_reader reader;
  EXPECT_EQ(put_all(reader, "id: 1\ndata: a\n\nid: 2\ndata: b\nda", 100),
            texts{"message:a"});
  EXPECT_EQ(reader.last_id(), "1");
  reader.begin_anew();
  EXPECT_EQ(put_all(reader, "data: c\n\n", 100), texts{"message:c"});
  EXPECT_EQ(reader.last_id(), "1");
}

TEST(MessageReaderTest, HasALimit) {
  message_reader reader;
  const std::string large(message_reader::most + 1, 'x');
  EXPECT_FALSE(reader.put(large, [](const stream_message&) {}));
}

} // namespace

} // namespace fanfare::cli
