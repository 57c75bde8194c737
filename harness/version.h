/* The version of the project and of the initiator library it was built against, from CMake. */
#ifndef HARNESS_VERSION_H
#define HARNESS_VERSION_H

#ifndef ISCSISPEC_VERSION
#define ISCSISPEC_VERSION "unknown"
#endif
#ifndef ISCSISPEC_LIBISCSI_VERSION
#define ISCSISPEC_LIBISCSI_VERSION "unknown"
#endif

#endif
