# The CUDA backend built for the host: operations against the CPU in three orders of threads and on both kinds of tensor cores,
# then whole checkpoints.
add_cuda_on_host(cuda_on_host PIECE_BYTES_FIRST=0 PIECE_BYTES_LAST=0)
add_cuda_on_host(cuda_on_host_sm75 MMA_COLUMNS=8)

# add_cuda_parity(<variant>): programs parity_cuda<variant> and parity_golden<variant>.
function(add_cuda_parity variant)
  add_executable(parity_cuda${variant} cuda.c)
  target_link_libraries(parity_cuda${variant} PRIVATE cuda_on_host${variant} kernels stdc++ m)
  add_executable(parity_golden_cuda${variant} golden.c)
  target_link_libraries(parity_golden_cuda${variant} PRIVATE cuda_on_host${variant} infer test_support
    PkgConfig::CMOCKA PkgConfig::JANSSON stdc++ m)
  set_target_properties(parity_cuda${variant} parity_golden_cuda${variant} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endfunction()
add_cuda_parity("")
add_cuda_parity(_sm75)

# add_cuda_test(<name> <order of threads> <command>...)
function(add_cuda_test name order)
  add_test(NAME parity/cuda/${name} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_property(TEST parity/cuda/${name} PROPERTY ENVIRONMENT SIMT_ORDER=${order})
endfunction()
foreach(order forward reverse random)
  add_cuda_test(${order} ${order} parity_cuda)
endforeach()
add_cuda_test(sm75 random parity_cuda_sm75 fast)
add_cuda_test(golden random parity_golden_cuda cuda brief)
add_cuda_test(golden_fast reverse parity_golden_cuda cuda fast)
add_cuda_test(golden_sm75 forward parity_golden_cuda_sm75 cuda fast)

# Faults that the comparison must see. A missing barrier shows in some orders only.
function(add_cuda_fault name order definition)
  add_cuda_on_host(cuda_on_host_${name} ${definition})
  add_executable(parity_cuda_${name} cuda.c)
  target_link_libraries(parity_cuda_${name} PRIVATE cuda_on_host_${name} kernels stdc++ m)
  set_target_properties(parity_cuda_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_cuda_test(${name}_is_seen ${order} sh tests/parity/differs.sh $<TARGET_FILE:parity_cuda_${name}> fast)
endfunction()
add_cuda_fault(missing_barrier reverse SIMT_FAULT_BARRIER)
add_cuda_fault(swapped_fragment forward SIMT_FAULT_FRAGMENT)
