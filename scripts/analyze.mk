# Static analysis of the image's C files by clang-tidy; the list of checks is .clang-tidy. Any finding is an error.
#
# ANALYZE_NODES bounds how far the analyzer follows the paths of one function. So many are enough for what clang's own
# 225000 finds in this code, in a quarter of the time: half a minute of one core for everything.
ANALYZE_NODES ?= 20000
analyze-srcs := $(wildcard $(objs:.o=.c))
analyze-headers := $(wildcard $(addsuffix *.h,$(sort $(dir $(analyze-srcs))) arch/ tests/kernel/ tests/metric/))
analyze-done := $(O)/analyze/$(ANALYZE_NODES)
.PHONY: analyze
analyze: $(addprefix $(analyze-done)/,$(addsuffix .ok,$(analyze-srcs)))
$(analyze-done)/%.ok: % .clang-tidy $(analyze-headers) $(gen)/flags.stamp | $(headers)
	@mkdir -p $(@D)
	$(call say,TIDY,$<)clang-tidy --quiet $< -- --target=riscv64-unknown-elf $(cppflags) -std=gnu11 \
		-ffreestanding -march=rv64imac_zba_zbb_zbs -mabi=lp64 -mcmodel=medany \
		-Xclang -analyzer-config -Xclang max-nodes=$(ANALYZE_NODES) 2>$@.log || { cat $@.log; exit 1; }
	@touch $@
