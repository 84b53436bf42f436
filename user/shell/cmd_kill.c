/* cmd_kill.c - kill: ends a thread's waits, so that it ends as soon as it can. */
#include "kernel/sched/sched.h"
#include "user/shell/cmd.h"
#include "user/shell/shell.h"

static int kill_thread(struct shell_call *c, uint32_t tid, struct str operand)
{
	struct thread *t = thread_find(tid);
	if (!t)
		return shell_fail(c, "%.*s: there is no thread with that id", STR_ARG(operand));
	struct thread_info i;
	thread_info(t, &i);
	enum err err = thread_cancel(t);
	thread_detach(t);
	if (err == OK)
		return 0;
	return shell_fail(c, "%u (%.*s) is a thread of the system, which needs it: it is not killed", i.tid,
		(int)i.name_len, i.name);
}

/* All of that name. */
static int kill_name(struct shell_call *c, struct str name)
{
	struct thread_info i = {0};
	int status = 0;
	bool found = false;
	while (thread_info_next(i.tid, &i)) {
		if (!str_eq(str_of(i.name, i.name_len), name) || i.tid == thread_id(thread_current()))
			continue;
		found = true;
		status = cmd_worse(status, kill_thread(c, i.tid, name));
	}
	return found ? status : shell_fail(c, "%.*s: there is no thread of that name", STR_ARG(name));
}

static int kill_run(struct shell_call *c)
{
	struct args a;
	int status = 0;
	if (!cmd_args(c, &a, "", 1, SIZE_MAX))
		return 2;
	for (size_t i = 0; i < a.operands; i++) {
		struct str operand = args_operand(&a, i);
		struct u64_result tid = str_to_u64(operand, 10);
		bool number = tid.err == OK && tid.value <= UINT32_MAX;
		status = cmd_worse(status, number ? kill_thread(c, (uint32_t)tid.value, operand) : kill_name(c, operand));
	}
	return status;
}
SHELL_COMMAND(kill, .name = STR_INIT("kill"), .summary = STR_INIT("ask threads to end"),
	.usage = STR_INIT("kill TID|NAME...\nkill %JOB...\n"
			  "The thread's present or next wait is cancelled, and it ends when it has cleaned up. Threads of the system\n"
			  "refuse. ps shows ids and names, jobs what runs in the background.\n"),
	.run = kill_run);
