/*
 * interface: the descriptions that the service gives of itself, and the names
 * of what is in them. The texts are src/wire/NAME.varlink, compiled in; a test
 * holds the names below against them.
 */
#ifndef WIRE_INTERFACE_H
#define WIRE_INTERFACE_H

#include <stddef.h>

#define INTERFACE_TRANSCODED "io.transcoded"
#define INTERFACE_VARLINK    "org.varlink.service"

// clang-format off
// methods
#define INTERFACE_SUBMIT                 INTERFACE_TRANSCODED ".Submit"
#define INTERFACE_PLAN                   INTERFACE_TRANSCODED ".Plan"
#define INTERFACE_LIST                   INTERFACE_TRANSCODED ".List"
#define INTERFACE_SHOW                   INTERFACE_TRANSCODED ".Show"
#define INTERFACE_FOLLOW                 INTERFACE_TRANSCODED ".Follow"
#define INTERFACE_CANCEL                 INTERFACE_TRANSCODED ".Cancel"
#define INTERFACE_PAUSE                  INTERFACE_TRANSCODED ".Pause"
#define INTERFACE_RESUME                 INTERFACE_TRANSCODED ".Resume"
#define INTERFACE_RETRY                  INTERFACE_TRANSCODED ".Retry"
#define INTERFACE_DEVICES                INTERFACE_TRANSCODED ".Devices"
#define INTERFACE_PROFILES               INTERFACE_TRANSCODED ".Profiles"
#define INTERFACE_DIAGNOSE               INTERFACE_TRANSCODED ".Diagnose"
#define INTERFACE_REPORT                 INTERFACE_TRANSCODED ".Report"
#define INTERFACE_STATUS                 INTERFACE_TRANSCODED ".Status"
#define INTERFACE_DRAIN                  INTERFACE_TRANSCODED ".Drain"
#define INTERFACE_UNDRAIN                INTERFACE_TRANSCODED ".Undrain"

#define INTERFACE_GET_INFO               INTERFACE_VARLINK ".GetInfo"
#define INTERFACE_GET_DESCRIPTION        INTERFACE_VARLINK ".GetInterfaceDescription"

// errors, with the members of their parameters
#define INTERFACE_INVALID_JOB            INTERFACE_TRANSCODED ".InvalidJob"       // field, reason
#define INTERFACE_NO_SUCH_JOB            INTERFACE_TRANSCODED ".NoSuchJob"        // id
#define INTERFACE_WRONG_STATE            INTERFACE_TRANSCODED ".WrongState"       // state
#define INTERFACE_NOT_PERMITTED          INTERFACE_TRANSCODED ".NotPermitted"     // reason
#define INTERFACE_TOO_MANY               INTERFACE_TRANSCODED ".TooMany"          // limit
#define INTERFACE_SHUTTING_DOWN          INTERFACE_TRANSCODED ".ShuttingDown"
#define INTERFACE_UNAVAILABLE            INTERFACE_TRANSCODED ".Unavailable"      // reason

#define INTERFACE_NOT_FOUND              INTERFACE_VARLINK ".InterfaceNotFound"   // interface
#define INTERFACE_METHOD_NOT_FOUND       INTERFACE_VARLINK ".MethodNotFound"      // method
#define INTERFACE_METHOD_NOT_IMPLEMENTED INTERFACE_VARLINK ".MethodNotImplemented" // method
#define INTERFACE_INVALID_PARAMETER      INTERFACE_VARLINK ".InvalidParameter"    // parameter
#define INTERFACE_PERMISSION_DENIED      INTERFACE_VARLINK ".PermissionDenied"
#define INTERFACE_EXPECTED_MORE          INTERFACE_VARLINK ".ExpectedMore"
// clang-format on

/* All that the service has, for GetInfo; NULL behind the last one. */
extern const char *const interface_names[];

/* The text of interface @name, NULL when there is none. */
const char *interface_description(const char *name);

#endif
