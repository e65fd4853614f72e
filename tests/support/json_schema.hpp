// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Validates JSON against a schema. Supports what our OpenAPI document uses of
/// JSON Schema; any other keyword is a fault, so none goes unchecked.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <vector>

namespace fanfare::test {

/// For one document, which resolves references. It must outlive this.
class json_schema {
public:
  enum class extras {
    allowed, ///< members that no schema names pass unless it forbids them
    refused, ///< they are faults unless it allows them
  };

  explicit json_schema(const boost::json::value& document)
    : document_(document) {}

  /// The faults of `value`, each with its place; empty: none.
  [[nodiscard]] std::vector<std::string>
  faults(const boost::json::value& schema, const boost::json::value& value,
         extras unknown = extras::refused) const;

  /// Follows a "$ref", if it is one. Throws `std::runtime_error` if it leads
  /// nowhere.
  [[nodiscard]] const boost::json::object&
  resolve(const boost::json::value& node) const;

private:
  const boost::json::value& document_;
};

} // namespace fanfare::test
