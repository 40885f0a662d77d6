#include "media/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"

static int find(void *library, const char *file,
                const struct library_symbol *symbols, size_t count, void *base,
                struct error *e)
{
    for (size_t i = 0; i < count; i++) {
        void *found = dlsym(library, symbols[i].name);
        if (!found && symbols[i].want == LIBRARY_NEEDED)
            return error_set(e, -ENODEV,
                             "'%s' has no '%s': it is too old, or not NVIDIA's",
                             file, symbols[i].name);
        // POSIX says that this works, ISO C that a cast does not
        memcpy((char *)base + symbols[i].offset, &found, sizeof(found));
    }
    return 0;
}

int library_open(void **ret, const char *file,
                 const struct library_symbol *symbols, size_t count, void *base,
                 struct error *e)
{
    void *library = dlopen(file, RTLD_NOW);

    if (!library)
        return error_set(e, -ENOENT, "cannot load %s", dlerror());
    int r = find(library, file, symbols, count, base, e);
    if (r < 0) {
        library_close(library);
        return r;
    }
    *ret = library;
    return 0;
}

void library_close(void *library)
{
    if (library)
        (void)dlclose(library);
}
