# The Debian package: `cpack -G DEB` in the build folder. dpkg-shlibdeps finds which libraries it depends on, so it is
# for the Debian it was built on, with LibTorch of that Debian.
# SPDX-License-Identifier: MIT
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ${PROJECT_NAME})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "measure how ways of partitioning data serve distributed inference")
set(CPACK_PACKAGE_DESCRIPTION "Small tools joined by ZeroMQ: dp-stream emits batches at a stated rate,
dp-route spreads them over dp-infer workers by a strategy, dp-collect
accounts for every sample and reports as JSON, dp-summarize and dp-plot make
tables and pictures of many reports. A fixture and weights come with them.
.
Pictures are drawn by Vega, which dp-install-vega fetches from npm for the
user who calls it.")
# Debian's own convention for who makes a package.
set(CPACK_PACKAGE_CONTACT "DataParallel <dataparallel@localhost>")
if(DEFINED ENV{DEBEMAIL})
  set(CPACK_PACKAGE_CONTACT "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/tools/install/deb-docs.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "jq, curl, libopenblas0-pthread, nodejs, npm")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "g++, make, python3, pkg-config, libcairo2-dev, libpango1.0-dev, libjpeg-dev, libgif-dev, librsvg2-dev, libpixman-1-dev, fonts-dejavu-core")
set(CPACK_DEBIAN_COMPRESSION_TYPE gzip)  # most of it are weights, which xz makes no smaller
include(CPack)
