menu "Files"

config FILES_MAX
	int "Open files in the whole system"
	range 16 4096
	default 256
	help
	  Beyond it, opening fails with ENFILE, counted in /proc/pools.

config SYNTH_PAGES
	int "Largest synthetic file, in pages"
	range 1 256
	default 64
	help
	  What /proc, /net and /dev may render in one open. A power of two. Beyond it, opening fails
	  with EFBIG.

endmenu
