obj-y += http_core.o http_head_core.o http_match_core.o http_reply_core.o http_target_core.o
obj-$(CONFIG_WEB) += api.o
obj-$(CONFIG_WEB) += api_net.o
obj-$(CONFIG_WEB) += api_sched.o
obj-$(CONFIG_WEB) += web.o
obj-$(CONFIG_WEB) += web_conn.o
obj-$(CONFIG_WEB) += web_reply.o
obj-$(CONFIG_WEB) += web_stats.o
