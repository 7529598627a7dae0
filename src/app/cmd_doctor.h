/* weft doctor [DATA]: whether everything that a folder keeps is well. docs/operations.md says what it finds. */
#ifndef APP_CMD_DOCTOR_H
#define APP_CMD_DOCTOR_H

int cmd_doctor(int argc, char **argv); /* 0: well; 1: damaged, or it could not look; 2: mended, or asked wrongly */

#endif
