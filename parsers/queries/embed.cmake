# Writes OUTPUT, a C header with the text of every query under DIRECTORY: <language>/<name>.scm becomes the string
# query_<language>_<name>. Run as a script, so that the header follows the queries: cmake -D DIRECTORY=… -D OUTPUT=… -P embed.cmake
file(GLOB_RECURSE queries RELATIVE ${DIRECTORY} ${DIRECTORY}/*.scm)
list(SORT queries)

set(header "/* Made from parsers/queries by embed.cmake. */\n")
foreach(query IN LISTS queries)
  file(READ ${DIRECTORY}/${query} text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
  string(REGEX REPLACE "\\.scm$" "" name "${query}")
  string(REPLACE "/" "_" name "${name}")
  string(APPEND header "\nstatic const char query_${name}[] =\n    \"${text}\";\n")
endforeach()
file(WRITE ${OUTPUT} "${header}")
