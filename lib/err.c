/*
 * err.c - error codes in words, made from the one list in abi/err.h.
 */
#include "lib/err.h"

struct str err_text(enum err e)
{
	switch (e) {
#define ERR_TEXT(name, number, symbol, text)                                                       \
	case name:                                                                                 \
		return S(text);
		ERR_LIST(ERR_TEXT)
#undef ERR_TEXT
	}
	return S("unknown error");
}

struct str err_name(enum err e)
{
	switch (e) {
#define ERR_NAME(name, number, symbol, text)                                                       \
	case name:                                                                                 \
		return S(symbol);
		ERR_LIST(ERR_NAME)
#undef ERR_NAME
	}
	return S("E?");
}
