/* What every part of the program uses. */
#ifndef COMMON_H
#define COMMON_H

#include <stddef.h>

/* Print one line and end the program with status 1. */
_Noreturn void fail(const char *format, ...);

/* As malloc and realloc, but memory that cannot be had ends the program. */
void *need(size_t bytes);
void *need_more(void *old, size_t bytes);

/* The contents of FOLDER/NAME with a NUL after them; its size is put into length. */
char *read_file(const char *folder, const char *name, size_t *length);

#endif
