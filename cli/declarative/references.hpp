// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Texts that a file does not hold itself: {env: NAME} and {file: PATH}.

#include <filesystem>
#include <string>
#include <string_view>

namespace fanfare::cli::declarative {

/// Where references lead. Tests put a fake in its place.
class reference_source {
public:
  virtual ~reference_source() = default;

  /// The value without a line break at its end. A sentence in `fault` if there
  /// is none.
  virtual std::string from_environment(const std::string& name,
                                       std::string& fault) = 0;
  virtual std::string from_file(const std::string& path,
                                std::string& fault) = 0;
};

/// The process's environment, and files: relative ones below `base`.
class process_references final : public reference_source {
public:
  explicit process_references(std::filesystem::path base);

  std::string from_environment(const std::string& name,
                               std::string& fault) override;
  std::string from_file(const std::string& path, std::string& fault) override;

private:
  std::filesystem::path base_;
};

} // namespace fanfare::cli::declarative
