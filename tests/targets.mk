# Programs that the tests under tests/ need. Included by the Makefile.
$(B)/tests/kill_driver: $(B)/tests/kill_driver.o $(B)/lib/connect.a $(B)/lib/os.a $(B)/lib/base.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
