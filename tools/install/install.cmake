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
install(FILES pipelines/find-tools.sh pipelines/lock.bash DESTINATION ${share}/pipelines)
install(FILES README.md CHANGELOG.md THREATS.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES pipelines/example.toml DESTINATION ${CMAKE_INSTALL_DOCDIR}/pipelines)
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

# Man pages, from the --help of what is installed; completion, one file for all commands.
set(man_pages "${CMAKE_SOURCE_DIR}/tools/install/man-pages.sh")
install(CODE "
  find_program(HELP2MAN help2man)
  if(HELP2MAN)
    set(prefix \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
    execute_process(COMMAND bash ${man_pages} \"\${prefix}/${CMAKE_INSTALL_BINDIR}\" ${PROJECT_VERSION}
      \"\${prefix}/${CMAKE_INSTALL_MANDIR}\" COMMAND_ERROR_IS_FATAL ANY)
  else()
    message(WARNING \"no man pages: there is no help2man\")
  endif()")
foreach(source IN LISTS tools)
  get_filename_component(tool ${source} NAME_WE)
  list(APPEND commands ${tool})
endforeach()
list(APPEND commands dp-run-local)
list(JOIN commands " " COMMANDS)
configure_file(tools/install/completion.bash ${CMAKE_BINARY_DIR}/completion/${PROJECT_NAME} @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/completion/${PROJECT_NAME} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
foreach(command IN LISTS commands)  # bash-completion looks for a file of the command's name
  file(CREATE_LINK ${PROJECT_NAME} ${CMAKE_BINARY_DIR}/completion/${command} SYMBOLIC)
  install(FILES ${CMAKE_BINARY_DIR}/completion/${command} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endforeach()

foreach(folder data lib/plot pipelines)
  get_filename_component(parent ${CMAKE_BINARY_DIR}/share/dataparallel/${folder} DIRECTORY)
  file(MAKE_DIRECTORY ${parent})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${folder} ${CMAKE_BINARY_DIR}/share/dataparallel/${folder} SYMBOLIC)
endforeach()
