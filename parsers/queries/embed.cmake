# Writes OUTPUT, a C header with the text of every query under DIRECTORY: <language>/<name>.scm becomes the string
# query_<language>_<name>. A first line "; Extends: <languages>." puts their files of the same name in front. Run as a script,
# so that the header follows the queries: cmake -D DIRECTORY=… -D OUTPUT=… -P embed.cmake
file(GLOB_RECURSE queries RELATIVE ${DIRECTORY} ${DIRECTORY}/*.scm)
list(SORT queries)

# Sets `text` to what a query and all that it extends say.
function(read_query query)
  file(READ ${DIRECTORY}/${query} own)
  set(all "")
  if(own MATCHES "^; Extends: ([a-z ]+)\\.")
    string(REPLACE " " ";" bases "${CMAKE_MATCH_1}")
    get_filename_component(name ${query} NAME)
    foreach(base IN LISTS bases)
      read_query(${base}/${name})
      string(APPEND all "${text}\n")
    endforeach()
  endif()
  set(text "${all}${own}" PARENT_SCOPE)
endfunction()

set(header "/* Made from parsers/queries by embed.cmake. */\n")
foreach(query IN LISTS queries)
  read_query(${query})
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
  string(REGEX REPLACE "\\.scm$" "" name "${query}")
  string(REPLACE "/" "_" name "${name}")
  string(APPEND header "\nstatic const char query_${name}[] =\n    \"${text}\";\n")
endforeach()
file(WRITE ${OUTPUT} "${header}")
