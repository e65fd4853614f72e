# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# Run by cpack before it makes the packages: what Debian wants of the installed
# files beside what they are. Copyright and changelogs have names of their own and
# are compressed, as manual pages are; nothing says when it was packed, unless
# SOURCE_DATE_EPOCH does.

cmake_policy(VERSION 3.25)

if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()

function(compress file)
  execute_process(COMMAND gzip --best --no-name --force "${file}"
                  COMMAND_ERROR_IS_FATAL ANY)
endfunction()

string(TIMESTAMP _now "%a, %d %b %Y %H:%M:%S +0000" UTC)
foreach(_component IN LISTS CPACK_COMPONENTS_ALL)
  set(_root "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/${_component}")
  string(TOUPPER "${_component}" _upper)
  set(_package "${CPACK_DEBIAN_${_upper}_PACKAGE_NAME}")
  set(_docs "${_root}/usr/share/doc/${_package}")
  file(MAKE_DIRECTORY "${_docs}")

  file(RENAME "${_docs}/CHANGELOG.md" "${_docs}/changelog")
  file(WRITE "${_docs}/changelog.Debian"
       "${_package} (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) "
       "unstable; urgency=medium\n\n"
       "  * Made from the sources of this version; see changelog.gz.\n\n"
       " -- ${CPACK_PACKAGE_CONTACT}  ${_now}\n")
  file(WRITE "${_docs}/copyright"
       "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
       "Upstream-Name: Fanfare\n\n"
       "Files: *\n"
       "Copyright: 2026 Fanfare contributors\n"
       "License: Apache-2.0\n\n"
       "License: Apache-2.0\n"
       " On Debian systems, the text of the Apache License, version 2.0, is in\n"
       " /usr/share/common-licenses/Apache-2.0.\n")
  # Where zsh looks for what packages bring.
  set(_zsh "${_root}/usr/share/zsh")
  if(EXISTS "${_zsh}/site-functions")
    file(RENAME "${_zsh}/site-functions" "${_zsh}/vendor-completions")
  endif()
  file(GLOB _pages "${_root}/usr/share/man/man*/*")
  foreach(_file IN LISTS _pages)
    compress("${_file}")
  endforeach()
  compress("${_docs}/changelog")
  compress("${_docs}/changelog.Debian")
endforeach()
