/* `weft run KERNEL [--help] FILE…`: runs a kernel on files. */
#ifndef APP_CMD_RUN_H
#define APP_CMD_RUN_H

int cmd_run(int argc, char **argv); /* argv[0] is "run"; the process's exit status: 0, 1 failed, 2 used wrongly */

#endif
