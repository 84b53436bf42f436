# What runs on this machine instead of the board: unit tests, simulations, fuzzers, purity objects.
#
#   x_test.c beside x.c     one program $(O)/host/.../x_test, with all of lib and all *_core.c
#   tests/sim/x_sim.c       the same, plus the sources that x_sim-y in tests/sim/obj.mk names
#   tests/fuzz/x_fuzz.c     one libFuzzer program (clang) over the same code
#
# They are built for configs/defconfig at DEBUG=2 whatever .config says, so that a test means the
# same thing everywhere.

host := $(O)/host
hgen := $(host)/generated
$(shell mkdir -p $(hgen))

HOSTCC ?= $(if $(LLVM),clang,gcc)
host-flags := -std=gnu11 -g -O1 -fno-omit-frame-pointer -fno-common -fno-strict-aliasing \
	-fvisibility=hidden -I. -I$(host) -DCONFIG_ARCH_HOST=1 -include $(hgen)/autoconf.h $(warnings) $(if $(LLVM),-Wno-gnu-variable-sized-type-not-at-end)
sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all

$(call stamp,$(host)/flags.stamp,$(HOSTCC) $(host-flags) $(sanitize))

$(hgen)/autoconf.h: $(wildcard configs/Kconfig*) configs/defconfig scripts/kconfig.py
	@scripts/setup.sh build
	@KCONFIG_CONFIG=$(hgen)/config $(PYTHON) scripts/kconfig.py defconfig defconfig
	@DEBUG=2 KCONFIG_CONFIG=$(hgen)/config $(PYTHON) scripts/kconfig.py generate $@ $(hgen)/auto.conf

core-srcs := $(sort $(shell find arch kernel drivers user -name '*_core.c' 2>/dev/null))
lib-srcs  := $(sort $(filter-out %_test.c,$(wildcard lib/*.c)))
test-srcs := $(sort $(shell find lib arch kernel drivers user tools tests/host -name '*_test.c' 2>/dev/null))
sim-srcs  := $(sort $(wildcard tests/sim/*_sim.c))
fuzz-srcs := $(sort $(wildcard tests/fuzz/*_fuzz.c))
-include $(wildcard tests/sim/obj.mk)

$(host)/%.o: %.c $(host)/flags.stamp | $(hgen)/autoconf.h
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)$(HOSTCC) $(host-flags) $(sanitize) -MMD -MP -c -o $@ $<

shared-objs := $(patsubst %.c,$(host)/%.o,$(lib-srcs) $(core-srcs) arch/host/point.c)
$(call stamp,$(host)/shared.stamp,$(shared-objs))
$(host)/libmazu.a: $(shared-objs) $(host)/shared.stamp
	$(Q)rm -f $@ && ar rcsD $@ $(shared-objs)

tests := $(patsubst %.c,$(host)/%,$(test-srcs))
sims  := $(patsubst %.c,$(host)/%,$(sim-srcs))
$(tests) $(sims): $(host)/%: $(host)/%.o $(host)/tests/host/main.o $(host)/libmazu.a
	$(call say,HOSTLD,$@)$(HOSTCC) $(sanitize) -o $@ $(filter %.o,$^) $(host)/libmazu.a -lm -pthread
# Further sources of a simulation
sim-more = $(patsubst %.c,$(host)/%.o,$($(basename $(notdir $(1)))-y))
$(foreach s,$(sim-srcs),$(eval $(s:%.c=$(host)/%): $(call sim-more,$(s))))

# Fuzzers: clang's coverage instrumentation in everything they call.
fuzzer := $(O)/fuzz
fuzz-flags := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
$(fuzzer)/%.o: %.c $(host)/flags.stamp | $(hgen)/autoconf.h
	@mkdir -p $(@D)
	$(call say,FUZZCC,$<)clang $(host-flags) -Wno-gnu-variable-sized-type-not-at-end $(fuzz-flags) \
		-MMD -MP -c -o $@ $<
fuzz-shared := $(patsubst %.c,$(fuzzer)/%.o,$(lib-srcs) $(core-srcs) tests/host/assert.c)
$(fuzzer)/libmazu.a: $(fuzz-shared) $(host)/shared.stamp
	$(Q)rm -f $@ && ar rcsD $@ $(fuzz-shared)
fuzzers := $(patsubst %.c,$(fuzzer)/%,$(fuzz-srcs))
$(fuzzers): %: %.o $(fuzzer)/libmazu.a
	$(call say,FUZZLD,$@)clang -fsanitize=fuzzer,address,undefined -o $@ $^

# Pure cores, compiled without sanitizers: check_purity.py looks at their symbols.
pure := $(O)/pure
$(pure)/%.o: %.c $(host)/flags.stamp | $(hgen)/autoconf.h
	@mkdir -p $(@D)
	$(call say,PURE,$<)$(HOSTCC) $(host-flags) -fno-pie -fno-stack-protector -MMD -MP -c -o $@ $<
pure-objs := $(patsubst %.c,$(pure)/%.o,$(core-srcs))
pure-libs := $(patsubst %.c,$(pure)/%.o,$(lib-srcs))

# The long simulations (make sim): of pure cores only, optimized, without sanitizers.
fast := $(O)/fast
$(fast)/%.o: %.c $(host)/flags.stamp | $(hgen)/autoconf.h
	@mkdir -p $(@D)
	$(call say,FASTCC,$<)$(HOSTCC) $(host-flags) -O2 -MMD -MP -c -o $@ $<
fast-shared := $(patsubst %.c,$(fast)/%.o,$(lib-srcs) $(core-srcs))
$(fast)/libmazu.a: $(fast-shared) $(host)/shared.stamp
	$(Q)rm -f $@ && ar rcsD $@ $(fast-shared)
fast-sims := $(addprefix $(fast)/tests/sim/,edf_sim)
$(fast-sims): %: %.o $(fast)/tests/host/main.o $(fast)/libmazu.a
	$(call say,FASTLD,$@)$(HOSTCC) -o $@ $^ -lm

.PHONY: host-tests sims fast-sims fuzzers purity list-tests
fast-sims: $(fast-sims)
host-tests: $(tests)
sims: $(sims)
fuzzers: $(fuzzers)
purity: $(pure-objs) $(pure-libs)
	$(Q)$(PYTHON) tools/check_purity.py --lib $(pure-libs) --core $(pure-objs)

-include $(shared-objs:.o=.d) $(tests:=.d) $(sims:=.d) \
	$(foreach s,$(sim-srcs),$(patsubst %.o,%.d,$(call sim-more,$(s)))) $(fuzz-shared:.o=.d) $(fuzzers:=.d) \
	$(pure-objs:.o=.d) $(pure-libs:.o=.d) $(fast-shared:.o=.d) $(fast-sims:=.d) $(host)/tests/host/main.d
