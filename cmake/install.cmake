# What is installed where. share/dataparallel is laid out as the sources are, so that tools and scripts find the same
# relative paths in both; a build has links there.
# SPDX-License-Identifier: MIT
set(share ${CMAKE_INSTALL_DATADIR}/dataparallel)

foreach(source IN LISTS tools)
  get_filename_component(tool ${source} NAME_WE)
  install(TARGETS ${tool} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endforeach()
install(DIRECTORY data/fixture data/weights DESTINATION ${share}/data)
install(FILES data/cifar10.sha256 data/shipped.sha256 data/README.md DESTINATION ${share}/data)
install(PROGRAMS data/fetch-cifar10 DESTINATION ${share}/data)
install(DIRECTORY lib/plot/ DESTINATION ${share}/lib/plot
  PATTERN *.cpp EXCLUDE PATTERN *.hpp EXCLUDE PATTERN node_modules EXCLUDE)
install(PROGRAMS pipelines/run-local.sh pipelines/install-vega.sh pipelines/quietly.sh DESTINATION ${share}/pipelines)
install(FILES pipelines/find-tools.sh DESTINATION ${share}/pipelines)
install(FILES README.md CHANGELOG.md THREATS.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

# dp_script(NAME SCRIPT): the installed command NAME is a link to SCRIPT of the shared folder.
function(dp_script name script)
  set(link ${CMAKE_BINARY_DIR}/links/${name})
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/links)
  file(CREATE_LINK ${DP_SHARE_FROM_BIN}/${script} ${link} SYMBOLIC)
  install(FILES ${link} DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()
dp_script(dp-run-local pipelines/run-local.sh)
dp_script(dp-install-vega pipelines/install-vega.sh)
dp_script(dp-fetch-cifar10 data/fetch-cifar10)

foreach(folder data lib/plot pipelines)
  get_filename_component(parent ${CMAKE_BINARY_DIR}/share/dataparallel/${folder} DIRECTORY)
  file(MAKE_DIRECTORY ${parent})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${folder} ${CMAKE_BINARY_DIR}/share/dataparallel/${folder} SYMBOLIC)
endforeach()
