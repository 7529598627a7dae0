/* `weft worker print`: a sheet on standard input becomes a PDF on standard output. Run by the server, in a process of
 * its own, because what it links is large and reads foreign texts. */
#ifndef APP_CMD_WORKER_H
#define APP_CMD_WORKER_H

int cmd_worker(int argc, char **argv);

#endif
