/* XLSX, read and written: minizip for the archive, expat for the XML. */
#include "xlsx.h"

extern const struct sheet_plugin weft_plugin;
__attribute__((visibility("default")))
const struct sheet_plugin weft_plugin = {.reader = &xlsx_reader, .writer = &xlsx_writer};
