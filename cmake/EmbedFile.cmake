# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# Included: fanfare_embed(<target> <file> <symbol>)
#   Puts the bytes of a file of the current folder into the library of the
#   folder, as `extern const std::string_view fanfare::protocol::rest::<symbol>`.
#
# As a script (cmake -D INPUT= -D OUTPUT= -D SYMBOL= -P): writes that source. An
# array of characters may be of any length; a string literal may not.

if(CMAKE_SCRIPT_MODE_FILE)
  file(READ "${INPUT}" bytes HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
  string(REGEX REPLACE "(('....',)('....',)('....',)('....',)('....',)('....',)('....',)('....',))"
                       "\\1\n" bytes "${bytes}")
  get_filename_component(name "${INPUT}" NAME)
  file(WRITE "${OUTPUT}" "// Generated from ${name}.
#include <string_view>
namespace fanfare::protocol::rest {
extern const std::string_view ${SYMBOL};
static constexpr char bytes[] = {
${bytes}};
const std::string_view ${SYMBOL}{bytes, sizeof bytes};
} // namespace fanfare::protocol::rest
")
  return()
endif()

set(FANFARE_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_FILE}")

function(fanfare_embed target file symbol)
  set(input "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
  set(output "${CMAKE_CURRENT_BINARY_DIR}/embedded/${symbol}.cpp")
  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${CMAKE_COMMAND}" -D "INPUT=${input}" -D "OUTPUT=${output}" -D
            "SYMBOL=${symbol}" -P "${FANFARE_EMBED_SCRIPT}"
    DEPENDS "${input}" "${FANFARE_EMBED_SCRIPT}"
    COMMENT "Embedding ${file}"
    VERBATIM)
  target_sources(${target} PRIVATE "${output}")
  set_source_files_properties("${output}" PROPERTIES SKIP_PRECOMPILE_HEADERS ON
                                         SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
