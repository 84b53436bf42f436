menu "Applications linked into the image"

config APP_CONTROL_LOOP
	bool "Example: a 1 kHz control loop"
	default y
	help
	  user/app/control_loop.c: a deadline thread that controls a simulated motor, its state in
	  /app/control and on the page /control.html. docs/tutorial-control-loop.md explains it.
	  Like all applications it is started in normal mode only, not for self-tests and benchmarks.

config APP_CONTROL_RUNTIME_US
	int "What it asks for in each millisecond (microseconds)"
	depends on APP_CONTROL_LOOP
	range 1 1000
	default 200
	help
	  More than a hart has left is refused; the log says why.

config APP_CONTROL_OVERRUN_STEPS
	int "Steps from one overrun on purpose to the next"
	depends on APP_CONTROL_LOOP
	range 0 1000000
	default 0
	help
	  To see what an overrun does: every so many steps one takes two and a half milliseconds. 0: never.

endmenu
