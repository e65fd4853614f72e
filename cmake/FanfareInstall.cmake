# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# What `cmake --install` installs, in three components: library (libfanfare.so),
# development (headers, static library, packages of CMake and pkg-config) and
# server (the program, its unit and configuration, manual pages, completions). packaging/ makes Debian
# packages of them.

include(CMakePackageConfigHelpers)

set(_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/fanfare")

# fanfare_install_configured(<input> <name> <base> <folder> <component>): installs a
# file that contains paths, which are known only at installation, into a folder of the
# base PREFIX, LIBDIR or SYSCONFDIR.
function(fanfare_install_configured input name base folder component)
  install(
    CODE "
    set(INPUT \"${PROJECT_SOURCE_DIR}/${input}\")
    set(NAME \"${name}\")
    set(BASE ${base})
    set(FOLDER \"${folder}\")
    set(BUILD \"${PROJECT_BINARY_DIR}\")
    set(VERSION ${PROJECT_VERSION})
    set(DESCRIPTION \"${PROJECT_DESCRIPTION}\")
    set(BINDIR \"${CMAKE_INSTALL_BINDIR}\")
    set(DATADIR \"${CMAKE_INSTALL_DATADIR}\")
    set(INCLUDEDIR \"${CMAKE_INSTALL_INCLUDEDIR}\")
    set(LIBDIR \"${CMAKE_INSTALL_LIBDIR}\")
    set(SYSCONFDIR \"${CMAKE_INSTALL_SYSCONFDIR}\")
    include(\"${PROJECT_SOURCE_DIR}/cmake/InstallConfigured.cmake\")"
    COMPONENT ${component})
endfunction()

# The Debian package of the shared library has the number of its soname.
set(FANFARE_LIBRARY_PACKAGE "libfanfare${FANFARE_SOVERSION}")

# fanfare_install_docs(<package> <component> <page>…): pages of docs/ that users read.
function(fanfare_install_docs package component)
  list(TRANSFORM ARGN PREPEND "${PROJECT_SOURCE_DIR}/docs/" OUTPUT_VARIABLE pages)
  list(TRANSFORM pages APPEND ".md")
  install(
    FILES ${pages}
    DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${package}/docs"
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
  PATH_VARS CMAKE_INSTALL_LIBDIR
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/fanfareConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(
  FILES "${PROJECT_BINARY_DIR}/fanfareConfig.cmake"
        "${PROJECT_BINARY_DIR}/fanfareConfigVersion.cmake"
        "${PROJECT_SOURCE_DIR}/cmake/FindCAF.cmake"
        "${PROJECT_SOURCE_DIR}/cmake/FindLMDB.cmake"
  DESTINATION "${_cmake_dir}"
  COMPONENT development)
fanfare_install_docs(libfanfare-dev development backup c-interface embedding
                     metrics tracing)
fanfare_install_configured(cmake/fanfare.pc.in fanfare.pc LIBDIR pkgconfig
                           development)

# -- server ---------------------------------------------------------------------

# Not if(TARGET fanfare): a project that builds this one may have a target of that name.
if(FANFARE_BUILD_PROGRAM)
  install(TARGETS fanfare RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
                                  COMPONENT server)
  fanfare_install_configured(packaging/fanfare.service.in fanfare.service
                             PREFIX
                             lib/systemd/system server)
  fanfare_install_configured(packaging/fanfare.toml.in fanfare.toml
                             SYSCONFDIR fanfare server)
  install(
    DIRECTORY "${PROJECT_BINARY_DIR}/share/man1"
    DESTINATION "${CMAKE_INSTALL_MANDIR}"
    COMPONENT server)
  set(_completions
      "bash:bash-completion/completions:fanfare"
      "zsh:zsh/site-functions:_fanfare"
      "fish:fish/vendor_completions.d:fanfare.fish")
  foreach(_completion IN LISTS _completions)
    string(REPLACE ":" ";" _completion "${_completion}")
    list(GET _completion 0 _shell)
    list(GET _completion 1 _folder)
    list(GET _completion 2 _name)
    install(
      FILES "${PROJECT_BINARY_DIR}/share/${_shell}"
      DESTINATION "${CMAKE_INSTALL_DATADIR}/${_folder}"
      RENAME "${_name}"
      COMPONENT server)
  endforeach()
  fanfare_install_docs(fanfare-server server backup delivery metrics migrating
                       operations tracing)
  install(
    FILES "${PROJECT_SOURCE_DIR}/README.md"
          "${PROJECT_SOURCE_DIR}/protocol/rest/description/openapi.json"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/fanfare-server"
    COMPONENT server)
  install(
    FILES "${PROJECT_SOURCE_DIR}/packaging/grafana/fanfare.json"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/fanfare/grafana"
    COMPONENT server)
  install(
    FILES "${PROJECT_SOURCE_DIR}/packaging/prometheus/alerts.yml"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/fanfare/prometheus"
    COMPONENT server)
endif()

# -- what all have --------------------------------------------------------------

foreach(_pair IN ITEMS library:${FANFARE_LIBRARY_PACKAGE} development:libfanfare-dev
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
