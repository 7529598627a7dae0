#include "app/cmd_run.h"

#include <stdio.h>

#include "kernel/kernel.h"

int cmd_run(int argc, char **argv) {
    FILE *to = argc > 1 && str_eq_c(str_c(argv[1]), "--help") ? stdout : stderr;
    fprintf(to, "usage: weft run KERNEL [--help] FILE…\n\n");
    for (size_t i = 0; kernel_table[i]; i++)
        fprintf(to, "  %-10s %s\n", kernel_table[i]->name, kernel_table[i]->summary);
    return to == stdout ? 0 : 2;
}
