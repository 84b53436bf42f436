menu "Applications linked into the image"

config APP_CONTROL_LOOP
	bool "Example: a 1 kHz control loop"
	help
	  user/app/control_loop.c, started at boot. Once a minute it logs how late it was at most.

endmenu
