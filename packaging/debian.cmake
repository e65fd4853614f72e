# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# `cpack -G DEB` makes the Debian packages libfanfare0.1 (with the number of its
# interface), libfanfare-dev and fanfare-server of the components that cmake/FanfareInstall.cmake installs.

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME fanfare)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(FANFARE_PACKAGE_CONTACT
    "Fanfare contributors <fanfare@example.org>"
    CACHE STRING "Who answers for the Debian packages: NAME <ADDRESS>")
set(CPACK_PACKAGE_CONTACT "${FANFARE_PACKAGE_CONTACT}")
set(CPACK_PACKAGING_INSTALL_PREFIX "/usr")
# No summary for all: the first line of each description is its synopsis.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "fanfare built using CMake")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/packaging/debian_files.cmake")
set(CPACK_COMPONENTS_ALL library development server)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# For the same of programs that link libfanfare. A patch release only adds to what
# its soname stands for.
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# Two versions of it can be installed beside each other (Debian policy, 8.1).
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME "${FANFARE_LIBRARY_PACKAGE}")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
# Its name before it had the interface's number, of which it has the files.
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONFLICTS libfanfare)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_REPLACES libfanfare)
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION
    "Webhook dispatch engine to be embedded in programs
Publishes are on disk when they are answered, and are delivered to every
webhook that subscribed, with retries for three days and a log of all calls.")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA
    "${PROJECT_SOURCE_DIR}/packaging/libfanfare/triggers")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libfanfare-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
    "Headers and static library of the Fanfare webhook engine
With the packages of CMake and pkg-config. The suggested packages are needed to
link the static library; the shared one needs none of them.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "${FANFARE_LIBRARY_PACKAGE} (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS
    "libcaf-dev, liblmdb-dev, libssl-dev, libboost-json1.81-dev, libboost-url1.81-dev, libc-ares-dev, libidn2-dev, pkgconf")

set(CPACK_DEBIAN_SERVER_PACKAGE_NAME fanfare-server)
set(CPACK_DEBIAN_SERVER_PACKAGE_SECTION net)
set(CPACK_DEBIAN_SERVER_PACKAGE_DEPENDS "adduser")
set(CPACK_COMPONENT_SERVER_DESCRIPTION
    "Webhook dispatch engine with a REST API
One program that takes notifications over REST and calls every URL that
subscribed, durable and with nothing beside it. Also its command-line client.")
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA
    "${PROJECT_SOURCE_DIR}/packaging/fanfare-server/conffiles"
    "${PROJECT_SOURCE_DIR}/packaging/fanfare-server/postinst"
    "${PROJECT_SOURCE_DIR}/packaging/fanfare-server/prerm"
    "${PROJECT_SOURCE_DIR}/packaging/fanfare-server/postrm")

include(CPack)
