PLUGIN_LIBS_xlsx := -lminizip -lexpat
