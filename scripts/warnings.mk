# Warnings are errors, with gcc and with clang, for the kernel and for the host.
warnings := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef \
	-Wpointer-arith -Wimplicit-fallthrough
