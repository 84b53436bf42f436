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

config PROC_CONFIG
	bool "The configuration as /proc/config"
	default y
	help
	  Some 2 KiB of text in the image. Off: the file is not there, and neither is the text.

endmenu
