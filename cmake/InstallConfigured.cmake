# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# Part of `cmake --install`: makes NAME from INPUT and installs it into FOLDER of BASE,
# see fanfare_install_configured in FanfareInstall.cmake. BINDIR, DATADIR, INCLUDEDIR,
# LIBDIR and SYSCONFDIR come as CMAKE_INSTALL_… says, and go into the file as absolute
# paths.

cmake_policy(VERSION 3.25) # which an install script has not

# The file is read from other directories later: "--prefix stage" becomes absolute.
get_filename_component(PREFIX "${CMAKE_INSTALL_PREFIX}/" ABSOLUTE)
string(REGEX REPLACE "/$" "" PREFIX "${PREFIX}")
if(PREFIX STREQUAL "/usr" AND NOT IS_ABSOLUTE "${SYSCONFDIR}")
  set(SYSCONFDIR "/${SYSCONFDIR}") # as GNUInstallDirs has it
endif()
foreach(_dir IN ITEMS BINDIR DATADIR INCLUDEDIR LIBDIR SYSCONFDIR)
  set(PC_${_dir} "${${_dir}}")
  if(NOT IS_ABSOLUTE "${${_dir}}")
    set(PC_${_dir} "\${prefix}/${${_dir}}") # pkg-config's own variable
    set(${_dir} "${PREFIX}/${${_dir}}")
  endif()
endforeach()
set(FOLDER "${${BASE}}/${FOLDER}")

# Both split words at spaces, and each has its own way to escape one.
if(NAME MATCHES "\\.pc$")
  set(_space "\\ ")
elseif(NAME MATCHES "\\.service$")
  set(_space "\\x20")
else()
  set(_space " ")
endif()
foreach(_dir IN ITEMS PREFIX BINDIR DATADIR SYSCONFDIR PC_INCLUDEDIR PC_LIBDIR)
  string(REPLACE " " "${_space}" ${_dir} "${${_dir}}")
endforeach()

# In a directory of its own: two installations may run at the same time.
string(SHA1 _place "$ENV{DESTDIR}${FOLDER}")
set(_place "${BUILD}/install-${_place}")
configure_file("${INPUT}" "${_place}/${NAME}" @ONLY)
file(INSTALL DESTINATION "${FOLDER}" TYPE FILE FILES "${_place}/${NAME}")
file(REMOVE_RECURSE "${_place}")
