/*
 * sanitized: is this a build with a sanitizer's runtime in the process?
 *
 * Such a runtime reserves terabytes of addresses, reads the program to name
 * lines, and looks for leaks with a second process that traces the first. For
 * it alone the layers are looser where they say so; what is installed is built
 * without.
 */
#ifndef SANDBOX_SANITIZED_H
#define SANDBOX_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

_Static_assert(SANITIZED == 0 || SANITIZED == 1, "a truth value for #if");

#endif
