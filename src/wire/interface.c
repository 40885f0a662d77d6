#include "wire/interface.h"

#include <string.h>

#include "wire/interface_text.h"

const char *const interface_names[] = {
    INTERFACE_VARLINK,
    INTERFACE_TRANSCODED,
    NULL,
};

const char *interface_description(const char *name)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(texts[i].name, name) == 0)
            return texts[i].text;
    }
    return NULL;
}
