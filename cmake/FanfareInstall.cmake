# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# What `cmake --install` installs, in three components: library (libfanfare.so),
# development (headers, static library, packages of CMake and pkg-config) and
# server (the program, its unit and configuration). packaging/ makes Debian
# packages of them.

include(CMakePackageConfigHelpers)

set(_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/fanfare")

# fanfare_install_configured(<input> <name> <folder> <component>): installs a file that
# names where things are, which only the installation knows. What would go to
# /usr/etc goes to /etc.
function(fanfare_install_configured input name folder component)
  install(
    CODE "
    set(PREFIX \"\${CMAKE_INSTALL_PREFIX}\")
    set(FOLDER \"\${PREFIX}/${folder}\")
    set(SYSCONFDIR \"\${PREFIX}/etc\")
    set(STATEDIR \"\${PREFIX}/var/lib\")
    if(PREFIX STREQUAL \"/usr\")
      string(REGEX REPLACE \"^/usr/etc\" \"/etc\" FOLDER \"\${FOLDER}\")
      set(SYSCONFDIR /etc)
      set(STATEDIR /var/lib)
    endif()
    set(VERSION ${PROJECT_VERSION})
    set(DESCRIPTION \"${PROJECT_DESCRIPTION}\")
    set(LIBDIR \"${CMAKE_INSTALL_LIBDIR}\")
    set(INCLUDEDIR \"${CMAKE_INSTALL_INCLUDEDIR}\")
    set(BINDIR \"${CMAKE_INSTALL_BINDIR}\")
    set(DATADIR \"${CMAKE_INSTALL_DATADIR}\")
    configure_file(\"${PROJECT_SOURCE_DIR}/${input}\"
                   \"${PROJECT_BINARY_DIR}/install/${name}\" @ONLY)
    file(INSTALL DESTINATION \"\${FOLDER}\" TYPE FILE
         FILES \"${PROJECT_BINARY_DIR}/install/${name}\")"
    COMPONENT ${component})
endfunction()

# -- library ------------------------------------------------------------------

install(
  TARGETS fanfare_engine_shared
  EXPORT fanfare_shared
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
          COMPONENT library
          NAMELINK_COMPONENT development)

# -- development ----------------------------------------------------------------

install(
  TARGETS fanfare_engine
  EXPORT fanfare_static
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development)
install(
  DIRECTORY "${PROJECT_SOURCE_DIR}/include/" "${PROJECT_BINARY_DIR}/generated/"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  COMPONENT development
  FILES_MATCHING
  PATTERN "*.hpp"
  PATTERN "*.h")
foreach(_kind IN ITEMS shared static)
  install(
    EXPORT fanfare_${_kind}
    NAMESPACE fanfare::
    FILE fanfare-${_kind}.cmake
    DESTINATION "${_cmake_dir}"
    COMPONENT development)
endforeach()
configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/fanfareConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/fanfareConfig.cmake"
  INSTALL_DESTINATION "${_cmake_dir}"
  PATH_VARS CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/fanfareConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(
  FILES "${PROJECT_BINARY_DIR}/fanfareConfig.cmake"
        "${PROJECT_BINARY_DIR}/fanfareConfigVersion.cmake"
        "${PROJECT_SOURCE_DIR}/cmake/FindCAF.cmake"
        "${PROJECT_SOURCE_DIR}/cmake/FindLMDB.cmake"
  DESTINATION "${_cmake_dir}"
  COMPONENT development)
fanfare_install_configured(cmake/fanfare.pc.in fanfare.pc
                           "${CMAKE_INSTALL_LIBDIR}/pkgconfig" development)

# -- server ---------------------------------------------------------------------

if(TARGET fanfare)
  install(TARGETS fanfare RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
                                  COMPONENT server)
  fanfare_install_configured(packaging/fanfare.service.in fanfare.service
                             lib/systemd/system server)
  fanfare_install_configured(packaging/fanfare.toml.in fanfare.toml
                             etc/fanfare server)
  install(
    FILES "${PROJECT_SOURCE_DIR}/README.md"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/fanfare-server"
    COMPONENT server)
endif()

# -- what all have --------------------------------------------------------------

foreach(_pair IN ITEMS library:libfanfare development:libfanfare-dev
                       server:fanfare-server)
  string(REPLACE ":" ";" _pair "${_pair}")
  list(GET _pair 0 _component)
  list(GET _pair 1 _package)
  install(
    FILES "${PROJECT_SOURCE_DIR}/LICENSE"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${_package}"
    RENAME copyright
    COMPONENT ${_component})
  install(
    FILES "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${_package}"
    COMPONENT ${_component})
endforeach()
