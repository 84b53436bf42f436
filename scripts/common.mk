# Words that both builds use, for the board and for this machine.

# $(call stamp,FILE,TEXT) writes TEXT to FILE when FILE does not hold it, so that what depends on
# FILE is rebuilt when a flag or a list changes, and only then.
stamp = $(if $(call differ,$(strip $(file <$(1))),$(strip $(2))),$(file >$(1),$(strip $(2))),\
	$(if $(wildcard $(1)),,$(file >$(1),)))
differ = $(if $(subst x$(1)x,,x$(2)x)$(subst x$(2)x,,x$(1)x),y)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)';)

hash := \#

# Warnings are errors, with gcc and with clang, for the kernel and for the host.
warnings := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef \
	-Wpointer-arith -Wimplicit-fallthrough
