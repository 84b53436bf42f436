obj-y += http_core.o http_head_core.o http_match_core.o http_reply_core.o http_target_core.o
