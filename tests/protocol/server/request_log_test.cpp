// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// The ids of requests, in answers and in what is told of them.

#include "protocol/server/request_log.hpp"

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <vector>

namespace fanfare::protocol {

namespace {

class EchoHandler : public http_handler {
public:
  void handle(http_request,
              std::function<void(http_response)> respond) override {
    respond({.status = 202, .headers = {}, .body = {}});
  }
  std::optional<http_response> check_head(const http_request&) override {
    return http_response{.status = 413, .headers = {}, .body = {}};
  }
};

class RequestLogTest : public ::testing::Test {
protected:
  std::string id_after(const std::string& given) {
    http_request request{.method = "GET",
                         .target = "/x?key=secret",
                         .headers = {},
                         .body = {},
                         .peer_address = "192.0.2.1"};
    if (!given.empty())
      request.headers.emplace_back("x-request-id", given);
    std::string id;
    log_.handle(std::move(request), [&id](const http_response& answer) {
      for (const auto& [name, value] : answer.headers)
        if (name == "X-Request-Id")
          id = value;
    });
    return id;
  }

  EchoHandler next_;
  std::vector<answered_request> told_;
  request_log log_{next_,
                   [this](const answered_request& r) { told_.push_back(r); }};
};

TEST_F(RequestLogTest, MakesIdsThatDiffer) {
  std::set<std::string> ids;
  for (int i = 0; i < 1'000; ++i)
    ids.insert(id_after(""));
  EXPECT_EQ(ids.size(), 1'000U);
  for (const auto& id : ids)
    EXPECT_TRUE(is_request_id(id)) << id;
}

TEST_F(RequestLogTest, KeepsAnIdThatIsSane) {
  EXPECT_EQ(id_after("6f0c-1:a=b/c+d~e_f.9"), "6f0c-1:a=b/c+d~e_f.9");
  EXPECT_EQ(id_after(std::string(128, 'x')), std::string(128, 'x'));
}

TEST_F(RequestLogTest, MakesAnotherForOneThatIsNot) {
  for (const std::string& bad :
       {std::string(129, 'x'), std::string{"a b"}, std::string{"a\nb"},
        std::string{"<script>"}, std::string{"\xc3\xa9"}})
    EXPECT_NE(id_after(bad), bad);
}

TEST_F(RequestLogTest, TellsOfEachWithoutItsQuery) {
  const auto id = id_after("");
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].id, id);
  EXPECT_EQ(told_[0].method, "GET");
  EXPECT_EQ(told_[0].path, "/x");
  EXPECT_EQ(told_[0].peer_address, "192.0.2.1");
  EXPECT_EQ(told_[0].status, 202);
}

TEST_F(RequestLogTest, NamesRefusalsOfAHeadToo) {
  const auto refused = log_.check_head({.method = "POST",
                                        .target = "/",
                                        .headers = {{"x-request-id", "mine"}},
                                        .body = {},
                                        .peer_address = {}});
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->headers.back(),
            (std::pair<std::string, std::string>{"X-Request-Id", "mine"}));
  EXPECT_EQ(told_.at(0).status, 413);
}

} // namespace

} // namespace fanfare::protocol
