// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Walks through an OpenAPI document.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <vector>

namespace fanfare::test {

/// One path and method. Points into the document.
struct api_operation {
  std::string path;   ///< "/api/v1/organizers/{organizer}/events/"
  std::string method; ///< "GET"
  const boost::json::object* node = nullptr;

  [[nodiscard]] std::string id() const;
};

/// All of them, in document order.
[[nodiscard]] std::vector<api_operation>
operations_of(const boost::json::value& document);

/// A documented example of a body.
struct api_example {
  std::string name;
  std::string media_type;
  const boost::json::value* schema = nullptr;
  const boost::json::object* node = nullptr;

  [[nodiscard]] const boost::json::value& value() const {
    return node->at("value");
  }
};

/// The examples of a request body or an answer, resolved.
[[nodiscard]] std::vector<api_example>
examples_of(const boost::json::object& body);

} // namespace fanfare::test
