# Static analysis of the image's C files by clang-tidy; the list of checks is .clang-tidy. Any finding is an error.
analyze-srcs := $(wildcard $(objs:.o=.c))
.PHONY: analyze
analyze: $(addprefix $(O)/analyze/,$(addsuffix .ok,$(analyze-srcs)))
$(O)/analyze/%.ok: % .clang-tidy $(gen)/flags.stamp | $(headers)
	@mkdir -p $(@D)
	$(call say,TIDY,$<)clang-tidy --quiet $< -- --target=riscv64-unknown-elf $(cppflags) -std=gnu11 \
		-ffreestanding -march=rv64imac_zba_zbb_zbs -mabi=lp64 -mcmodel=medany 2>$@.log || { cat $@.log; exit 1; }
	@touch $@
