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

config RAMFS_WRITE
	bool "Files in memory can be written"
	default y
	help
	  The tree at / can be changed: files are written, made, renamed and removed in memory, and are
	  as they were packed after the next boot. Off: it is read-only (EROFS).

config RAMFS_KB
	int "Memory of files that were written, in KiB"
	depends on RAMFS_WRITE
	range 64 65536
	default 4096
	help
	  All contents together, those that are no longer in a file but still on their way to a client
	  among them. Taken when it is written, not before. Beyond it, writing fails with ENOSPC, counted
	  in /proc/ramfs.

config RAMFS_FILE_KB
	int "Largest file that can be written, in KiB"
	depends on RAMFS_WRITE
	range 4 4032
	default 1024
	help
	  One run of pages. Beyond it, writing fails with EFBIG.

config RAMFS_FILES
	int "Files and directories that can be made"
	depends on RAMFS_WRITE
	range 8 4096
	default 256
	help
	  Some 200 bytes each, taken at boot. Beyond it, making one fails with ENOSPC, counted in /proc/ramfs.

config PROC_CONFIG
	bool "The configuration as /proc/config"
	default y
	help
	  Some 2 KiB of text in the image. Off: the file is not there, and neither is the text.

endmenu
