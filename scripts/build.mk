# The kernel image: configuration, compilation, link. Included by the Makefile when a goal needs it.
#
#   $(O)/generated/   autoconf.h auto.conf version.h offsets.h, and stamps that hold flags
#   $(O)/<source>.o   the object tree mirrors the source tree
#   $(O)/mazu.elf     linked twice: the second time with the symbol table for backtraces

gen := $(O)/generated
$(shell mkdir -p $(gen))

# --- configuration -----------------------------------------------------------------------------

$(call stamp,$(gen)/debug.stamp,$(DEBUG))

$(KCONFIG_CONFIG):
	@scripts/setup.sh build
	@$(PYTHON) scripts/kconfig.py defconfig defconfig

$(gen)/auto.conf: $(KCONFIG_CONFIG) $(wildcard configs/Kconfig*) scripts/kconfig.py $(gen)/debug.stamp
	@scripts/setup.sh build
	@$(PYTHON) scripts/kconfig.py generate $(gen)/autoconf.h $@ $(gen)/config.txt
$(gen)/autoconf.h $(gen)/config.txt: $(gen)/auto.conf ;

include $(gen)/auto.conf

# --- toolchain and flags -----------------------------------------------------------------------

isa-ext := _zba_zbb_zbs
ifdef LLVM
CC      := clang --target=riscv64-unknown-elf
LD      := ld.lld
NM      := llvm-nm
OBJCOPY := llvm-objcopy
kernel-isa := rv64imac$(isa-ext)
# debug_assert() mentions its operands in release builds too, without evaluating them.
cc-flags   := -mno-relax -Wthread-safety -Wno-gnu-variable-sized-type-not-at-end \
	-Wno-unneeded-internal-declaration
ubsan      := -fsanitize=undefined -fsanitize-trap=undefined
else
cross   := riscv64-unknown-elf-
CC      := $(cross)gcc
LD      := $(cross)ld
NM      := $(cross)nm
OBJCOPY := $(cross)objcopy
kernel-isa := rv64imac_zicsr_zifencei$(isa-ext)
cc-flags   :=
ubsan      := -fsanitize=undefined -fsanitize-undefined-trap-on-error
endif

# Bytes. kernel/mm/stack.c relies on it when it looks for where a thread's use of its stack ended.
frame-max := 6144
cppflags := -I. -I$(O) -include $(gen)/autoconf.h
cflags := -std=gnu11 -O2 -g -ffreestanding -mcmodel=medany -mabi=lp64 -fno-pic -fno-common \
	-fno-strict-aliasing -fno-asynchronous-unwind-tables -ffile-prefix-map=$(CURDIR)=. \
	-ffunction-sections -fdata-sections $(warnings) -Wframe-larger-than=$(frame-max) $(cc-flags)
cflags += $(if $(CONFIG_STACKPROTECTOR),-fstack-protector-strong,-fno-stack-protector)
cflags += $(if $(CONFIG_FRAME_POINTER),-fno-omit-frame-pointer,-fomit-frame-pointer)
cflags += $(if $(CONFIG_UBSAN),$(ubsan))
ldflags := -nostdlib -static --gc-sections --build-id=none -z max-page-size=4096 \
	$(if $(LLVM),,--no-warn-rwx-segments)

# No floating point: nobody saves its registers in a switch, and the hart has it switched off.
compile = $(CC) $(cppflags) $(cflags) -march=$(kernel-isa)

$(call stamp,$(gen)/flags.stamp,$(compile) $(isa-ext) $(LD) $(ldflags))

# --- objects: each folder's obj.mk says what belongs to the image --------------------------------

objs :=
define collect
obj-y :=
include $(1)obj.mk
objs += $$(addprefix $(1),$$(obj-y))
endef
folders := $(sort $(dir $(wildcard $(addsuffix obj.mk,lib/ arch/riscv64/ kernel/*/ kernel/*/*/ \
	drivers/ drivers/*/ user/net/ user/net/*/ user/shell/ user/app/))))
$(foreach folder,$(folders),$(eval $(call collect,$(folder))))
objs += $(if $(CONFIG_SELFTEST),$(patsubst %.c,%.o,$(wildcard tests/kernel/*.c)))
objs += $(if $(CONFIG_SELFTEST)$(CONFIG_BENCH),$(patsubst %.c,%.o,$(wildcard tests/metric/*.c)))
objs += $(if $(CONFIG_BENCH),$(patsubst %.c,%.o,$(wildcard tests/bench/*.c)))
objects := $(addprefix $(O)/,$(sort $(objs)))

$(call stamp,$(gen)/objects.stamp,$(objects))

headers := $(gen)/autoconf.h $(gen)/version.h $(if $(wildcard arch/riscv64/offsets.c),$(gen)/offsets.h)

$(O)/%.o: %.c $(gen)/flags.stamp | $(headers)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(compile) -MMD -MP -c -o $@ $<

$(O)/%.o: %.S $(gen)/flags.stamp | $(headers)
	@mkdir -p $(@D)
	$(call say,AS,$<)$(compile) -D__ASSEMBLY__ -MMD -MP -c -o $@ $<

# Offsets and sizes of structs for assembly: offsets.c writes "#define NAME value" into its own
# assembly output.
$(gen)/offsets.h: arch/riscv64/offsets.c $(gen)/flags.stamp | $(gen)/autoconf.h $(gen)/version.h
	$(call say,OFFSETS,$<)$(compile) -MMD -MP -MT $@ -MF $(gen)/offsets.d -S -o $(gen)/offsets.s $< && \
	sed -n 's/^[[:space:]]*\.ascii[[:space:]]*"\(#define [^"]*\)".*/\1/p' $(gen)/offsets.s > $@

# The only place that knows the version: no other file depends on the commit.
version := $(or $(VERSION),$(shell git describe --always --dirty --tags 2>/dev/null),unversioned)
$(call stamp,$(gen)/version.h,$(hash)define MAZU_VERSION "$(version)")
$(gen)/version.h: ;

# --- link --------------------------------------------------------------------------------------

# The compiler's own helpers, for what RV64 has no instruction for.
libgcc := $(shell riscv64-unknown-elf-gcc -march=rv64imac -mabi=lp64 -print-libgcc-file-name)

$(O)/kernel.lds: arch/riscv64/kernel.ld $(gen)/flags.stamp | $(gen)/autoconf.h
	$(call say,CPP,$<)$(CC) $(cppflags) -D__LINKER__ -E -P -x c -MMD -MP -MT $@ -MF $(O)/kernel.lds.d -o $@ $<

# Files that the image holds as they are.
blobs := $(O)/ramfs.o $(if $(CONFIG_PROC_CONFIG),$(O)/config.o)
link = $(LD) $(ldflags) -T $(O)/kernel.lds -o $(1) $(objects) $(blobs) $(2) $(libgcc)
parts := $(objects) $(blobs) $(O)/kernel.lds $(gen)/objects.stamp

# First link: no symbols yet. The table lies behind the text, so the addresses in it stay true;
# mksyms.py --verify proves it for each image.
$(O)/mazu.pass1.elf: $(parts) $(O)/symtab.empty.o
	$(call say,LD,$@)$(call link,$@,$(O)/symtab.empty.o)

$(O)/symtab.bin: $(O)/mazu.pass1.elf tools/mksyms.py
	$(call say,SYMS,$@)$(NM) $< | $(PYTHON) tools/mksyms.py $@

$(O)/mazu.elf: $(O)/mazu.pass1.elf $(O)/symtab.o
	$(call say,LD,$@)$(call link,$@,$(O)/symtab.o) -Map $(O)/mazu.map
	@$(NM) $@ | $(PYTHON) tools/mksyms.py --verify $(O)/symtab.bin

# A file's bytes as an object: $(call blob,SECTION,SYMBOL,FILE)
blob = printf '%s\n' '.section $(1),"a"' '.balign 16' '.globl $(2)_start, $(2)_end' '$(2)_start:' \
	'$(if $(3),.incbin "$(3)")' '$(2)_end:'

$(O)/symtab.o: $(O)/symtab.bin
	@$(call blob,.symtab_mz,__symtab,$<) | $(CC) -march=$(kernel-isa) -mabi=lp64 -x assembler -c -o $@ -
$(O)/symtab.empty.o: $(gen)/flags.stamp
	@$(call blob,.symtab_mz,__symtab,) | $(CC) -march=$(kernel-isa) -mabi=lp64 -x assembler -c -o $@ -

# The files that the image carries, and the same format as an initrd (see kernel/fs/ramfs_image.h).
rootfs := $(shell find rootfs -type f -o -type d 2>/dev/null)
# The page is bundled into $(O)/web and packed as web/... beside it. node_modules/ is set up by `make run`
# and `make check`; here only if somebody builds without them, or package-lock.json is newer.
web-sources := $(sort $(filter-out %_test.mjs,$(wildcard web/*.*)))
web-page := $(if $(CONFIG_WEB),$(O)/web)
$(call stamp,$(gen)/rootfs.stamp,$(rootfs) $(web-sources) $(web-page))
web/node_modules/.mazu-lock: web/package-lock.json
	@scripts/setup.sh build
	@touch $@
$(O)/web/licences.txt: $(web-sources) $(gen)/rootfs.stamp web/node_modules/.mazu-lock
	$(call say,BUNDLE,$(@D))node web/build.mjs $(@D)
$(O)/ramfs.img: $(gen)/rootfs.stamp $(if $(web-page),$(web-page)/licences.txt) $(filter-out rootfs/%/,$(rootfs)) tools/mkramfs.py
	$(call say,RAMFS,$@)$(PYTHON) tools/mkramfs.py --gzip -o $@ $(if $(rootfs),rootfs) $(if $(web-page),web=$(web-page))
$(O)/ramfs.o: $(O)/ramfs.img $(gen)/flags.stamp
	@$(call blob,.ramfs,__ramfs,$<) | $(CC) -march=$(kernel-isa) -mabi=lp64 -x assembler -c -o $@ -

$(O)/config.o: $(gen)/config.txt $(gen)/flags.stamp
	@$(call blob,.rodata.config,config_text,$<) | $(CC) -march=$(kernel-isa) -mabi=lp64 -x assembler -c -o $@ -

# --- goals -------------------------------------------------------------------------------------

all: $(O)/mazu.elf compile_commands.json

# For editors and clang-tidy: one entry per C file of the image.
compile_commands.json: scripts/compdb.py $(gen)/flags.stamp $(gen)/objects.stamp
	@$(PYTHON) scripts/compdb.py $@ '$(compile)' $(wildcard $(objs:.o=.c))

include scripts/analyze.mk

-include $(objects:.o=.d) $(gen)/offsets.d $(O)/kernel.lds.d
