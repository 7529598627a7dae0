/* The same client for the tests of serve. */
#include "tests/lib/os_http_client.c"
