// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/openapi.hpp"

#include <boost/json/value_to.hpp>

#include <algorithm>
#include <cctype>

namespace fanfare::test {

std::string api_operation::id() const {
  return boost::json::value_to<std::string>(node->at("operationId"));
}

std::vector<api_operation> operations_of(const boost::json::value& document) {
  std::vector<api_operation> all;
  for (const auto& path : document.at("paths").as_object())
    for (const auto& item : path.value().as_object()) {
      std::string method{item.key()};
      std::ranges::transform(method, method.begin(), [](unsigned char c) {
        return static_cast<char>(std::toupper(c));
      });
      all.push_back({std::string{path.key()}, std::move(method),
                     &item.value().as_object()});
    }
  return all;
}

std::vector<api_example> examples_of(const boost::json::object& body) {
  std::vector<api_example> all;
  const auto* content = body.if_contains("content");
  if (content == nullptr)
    return all;
  for (const auto& type : content->as_object()) {
    const auto& media = type.value().as_object();
    if (const auto* examples = media.if_contains("examples"))
      for (const auto& item : examples->as_object())
        all.push_back({std::string{item.key()}, std::string{type.key()},
                       &media.at("schema"), &item.value().as_object()});
  }
  return all;
}

} // namespace fanfare::test
