# install: headers as they stand in the tree, below include/clade; find_package(clade) gives
# clade::clade, which links every floor.
include(CMakePackageConfigHelpers)
get_property(floors GLOBAL PROPERTY CLADE_FLOORS)
add_library(clade INTERFACE)
add_library(clade::clade ALIAS clade)
target_link_libraries(clade INTERFACE ${floors})
target_include_directories(clade INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/clade>)

install(TARGETS clade ${floors} EXPORT clade-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(floor ${floors})
  string(REPLACE "clade_" "" folder ${floor})
  install(DIRECTORY ${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/clade
          FILES_MATCHING PATTERN "*.h")
endforeach()
install(FILES clade.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/clade)
install(DIRECTORY data/digits data/published DESTINATION ${CMAKE_INSTALL_DATADIR}/clade)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/clade)
install(EXPORT clade-targets NAMESPACE clade:: DESTINATION ${package_dir})
configure_package_config_file(cmake/clade-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/clade-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/clade-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/clade-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/clade-config-version.cmake DESTINATION ${package_dir})
