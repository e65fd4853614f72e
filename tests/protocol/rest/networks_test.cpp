// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// The networks of an organizer.

#include "tests/protocol/rest/delivery_test.hpp"

namespace fanfare::test {
namespace {

class RestNetworksTest : public RestTest {
protected:
  reply change(std::string_view body, std::string_view key = "root") {
    return ask("PATCH", path, body, key);
  }

  std::string path = "/api/v1/organizers/dummy/networks/";
};

TEST_F(RestNetworksTest, AreTheServersAdminsOnly) {
  for (const std::string key : {"hooks", "publisher", "boss", "theirs"})
    for (const std::string method : {"GET", "HEAD", "OPTIONS", "PATCH"})
      EXPECT_EQ(ask(method, path, method == "PATCH" ? "{}" : "", key).status,
                403)
        << key << ' ' << method;
  EXPECT_EQ(ask("GET", path, {}, {}).status, 401);
  for (const std::string method : {"GET", "HEAD", "OPTIONS"})
    EXPECT_EQ(ask(method, path, {}, "root").status, 200) << method;
  EXPECT_EQ(ask("PUT", path, "{}", "root").status, 405);
  EXPECT_EQ(
    ask("GET", "/api/v1/organizers/nobody/networks/", {}, "root").status, 403);
}

TEST_F(RestNetworksTest, AreShownInTheirCanonicalForm) {
  EXPECT_EQ(ask("GET", path, {}, "root").body, R"({"allow":[],"deny":[]})");
  const auto changed = change(
    R"({"allow":["10.0.0.0/8","192.0.2.7","2001:DB8:0::/32","::1"],)"
    R"("deny":["10.1.0.0/16"]})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(
    changed.body,
    R"({"allow":["10.0.0.0/8","192.0.2.7/32","2001:db8::/32","::1/128"],)"
    R"("deny":["10.1.0.0/16"]})");
  EXPECT_EQ(ask("GET", path, {}, "root").body, changed.body);
  EXPECT_EQ(service.known_organizers[0].allow_networks.size(), 4U);
  EXPECT_TRUE(service.known_organizers[1].allow_networks.empty());
  // Each list is replaced as a whole, or left.
  EXPECT_EQ(change(R"({"allow":[]})").body,
            R"({"allow":[],"deny":["10.1.0.0/16"]})");
  EXPECT_EQ(change("{}").body, R"({"allow":[],"deny":["10.1.0.0/16"]})");
}

TEST_F(RestNetworksTest, AreRefusedByWhatIsWrong) {
  for (const std::string bad :
       {R"("")", R"("10.0.0.0/33")", R"("10.0.0.0/")", R"("10.0.0.0/-1")",
        R"("example.com")", R"("10.0.0")", R"("::/129")", R"("fe80::1%eth0")",
        R"("10.0.0.1/8")", R"(" 10.0.0.0/8")", "5", "null", "{}"}) {
    const auto answer = change(R"({"allow":["10.0.0.0/8",)" + bad + "]}");
    EXPECT_EQ(answer.status, 400) << bad;
    EXPECT_THAT(answer.body, HasSubstr("is not a network")) << bad;
  }
  for (const std::string value : {R"("10.0.0.0/8")", "null", "{}", "5"})
    EXPECT_EQ(
      change(with("deny", value)).body,
      fault("deny", "Must be a list of networks such as \"10.0.0.0/8\"."));
  const auto all = change(R"({"allow":5,"deny":["x"],"colour":1})").json();
  EXPECT_EQ(all.as_object().size(), 3U);
  EXPECT_EQ(change("[]").status, 400);
  EXPECT_EQ(change(with("allow", list_of(257, R"("10.0.0.0/8")"))).body,
            fault("allow", "Must have at most 256 networks."));
  EXPECT_TRUE(service.known_organizers[0].allow_networks.empty());
  EXPECT_EQ(change(with("allow", list_of(256, R"("10.0.0.0/8")"))).status, 200);
}

} // namespace
} // namespace fanfare::test
