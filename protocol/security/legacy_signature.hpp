// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The signature header of a receiver's own making, for those that check calls
/// their own way (`legacy_signature` in fanfare/types.hpp).

#include "fanfare/types.hpp"
#include "protocol/security/signature.hpp"

#include <string>
#include <string_view>

namespace fanfare::protocol {

/// Appends "NAME: PREFIX SIGNATURE CRLF" for receivers with checks of their
/// own. The key of the HMAC is the text of the secret as its owner sees it,
/// with its "whsec_". The template's {id}, {timestamp} and {body} are replaced
/// (one pass: what they are replaced with is not looked at again).
void append_legacy_header(const legacy_signature& how, std::string_view secret,
                          const signed_content& what, std::string& out);

} // namespace fanfare::protocol
