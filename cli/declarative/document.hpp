// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A YAML or JSON document as a tree that knows where each part stands, so that
/// every error can name line and column.

#include "cli/client/exit_code.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::cli::declarative {

/// From 1.
struct place {
  int line = 1;
  int column = 1;
};

struct member;

struct node {
  enum class kind { null, scalar, list, map };

  kind what = kind::null;
  place at;
  std::string text;            ///< of a scalar
  bool quoted = false;         ///< a scalar that is a text whatever it says
  std::vector<node> items;     ///< of a list
  std::vector<member> members; ///< of a map, in order; no key is there twice

  /// Null if it is no map or has no such member.
  [[nodiscard]] const member* find(std::string_view key) const;
  /// As JSON: numbers are written as they stand in the document. A scalar that
  /// is no number, true, false or null of JSON is a text.
  [[nodiscard]] std::string json() const;
};

struct member {
  std::string key;
  place at; ///< of the key
  node value;
};

/// "FILE:3:7: …", with exit_code::usage.
[[nodiscard]] command_error fault_at(const std::string& file, place at,
                                     const std::string& sentence);

/// Reads one document (JSON is YAML, too). Throws what fault_at() makes.
/// Anchors and aliases are resolved; a document that grows beyond 200,000 parts
/// by them is refused.
[[nodiscard]] node read_document(const std::string& text,
                                 const std::string& file);

} // namespace fanfare::cli::declarative
