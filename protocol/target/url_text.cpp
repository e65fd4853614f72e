// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/target/url_text.hpp"

#include "protocol/base64.hpp"

namespace fanfare::protocol {

std::string basic_credentials(std::string_view user,
                              std::string_view password) {
  std::string both{user};
  both += ':';
  both += password;
  return "Basic "
       + encode_base64(
           {reinterpret_cast<const unsigned char*>(both.data()), both.size()});
}

} // namespace fanfare::protocol
