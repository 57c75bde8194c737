/*
 * How AddressSanitizer runs in a fuzzer: ASAN_OPTIONS of the environment wins. An input lives for microseconds, so a
 * small quarantine holds as many freed blocks of it as a big one, and filling memory would be a fifth of the time.
 */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "quarantine_size_mb=1:thread_local_quarantine_size_kb=128:max_malloc_fill_size=16:malloc_context_size=2:"
           "allocator_release_to_os_interval_ms=-1:detect_stack_use_after_return=0";
}

/*
 * libfyaml loses a buffer of its scanner on some quoted scalars that go on over lines. Documents of ours that are not
 * freed would hide behind it here; the unit tests of the sanitizer build show those.
 */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml.so\n";
}
