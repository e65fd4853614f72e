// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which servers to query and for which names: the relevant parts of
/// resolv.conf(5). INTERNAL to the resolver.

#include <ares.h>

#include <sys/types.h>

#include <chrono>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::protocol {

/// "ADDRESS", "ADDRESS:PORT" or "[ADDRESS]:PORT"; nothing for any other
/// text.
[[nodiscard]] std::optional<ares_addr_port_node>
parse_name_server(std::string_view text);

/// Immutable once read; a copy would point into its original.
struct dns_configuration {
  dns_configuration() = default;
  dns_configuration(const dns_configuration&) = delete;
  dns_configuration& operator=(const dns_configuration&) = delete;

  std::vector<ares_addr_port_node> servers; ///< each linked to its next
  std::vector<std::string> domains;         ///< to search in
  /// ndots: names with at least this many dots are tried as given first.
  int dots = 1;
  bool table_first = true; ///< the hosts file before DNS, or after it
  bool table_last = false;
  bool dns = true;

  /// The names to query, one after the other, to find `host`.
  [[nodiscard]] std::vector<std::string> names(const std::string& host) const;
};

/// Reads the file at `path`. The servers `given`, unless empty, replace those
/// in the file; texts that are not name servers are left out.
[[nodiscard]] std::shared_ptr<const dns_configuration>
read_dns_configuration(std::string path, const std::vector<std::string>& given);

/// The configuration in the file, checked every 30 s.
class configuration_watch {
public:
  using time_point = std::chrono::steady_clock::time_point;

  configuration_watch(std::string path, std::vector<std::string> servers)
    : path_(std::move(path)),
      servers_(std::move(servers)) {}

  /// Call before `current`. True: it replaced an earlier one.
  bool refresh(time_point now);

  [[nodiscard]] const std::shared_ptr<const dns_configuration>&
  current() const noexcept {
    return current_;
  }

private:
  /// Tells a changed file from an unchanged one.
  struct file_stamp {
    ino_t inode = 0;
    off_t size = 0;
    timespec modified{};

    static file_stamp of(const std::string& path);
    bool operator==(const file_stamp& other) const;
  };

  const std::string path_;
  const std::vector<std::string> servers_;
  std::shared_ptr<const dns_configuration> current_;
  file_stamp stamp_;
  time_point checked_;
};

} // namespace fanfare::protocol
