/* memmap_core_test.c - free memory against a model with a bit for each page. */
#include "kernel/mm/memmap_core.h"
#include "tests/host/test.h"

TEST(memmap_subtracts_the_image)
{
	struct memrange ram[] = {{0x80000000, 0x8000000}};
	struct memrange gone[] = {{0x80000000, 0x60000}, {0x80200000, 0x12345}, {0x87f00001, 10}};
	struct memrange out[8];
	size_t n = memmap_free(ram, 1, gone, 3, 4096, out, 8);
	CHECK_EQ(n, 3);
	CHECK_EQ(out[0].base, 0x80060000);
	CHECK_EQ(out[0].size, 0x1a0000);
	CHECK_EQ(out[1].base, 0x80213000);
	CHECK_EQ(out[1].base + out[1].size, 0x87f00000);
	CHECK_EQ(out[2].base, 0x87f01000);
}

TEST(memmap_nothing)
{
	struct memrange ram[] = {{0x80000000, 0x1000}}, gone[] = {{0, SIZE_MAX}}, out[2];
	CHECK_EQ(memmap_free(ram, 0, gone, 0, 4096, out, 2), 0);
	CHECK_EQ(memmap_free(ram, 1, gone, 1, 4096, out, 2), 0);
	ram[0].base += 8;
	CHECK_EQ(memmap_free(ram, 1, gone, 0, 4096, out, 2), 0);
}

TEST(memmap_against_a_model)
{
	struct test_rng rng = test_rng(test_seed());
	for (int round = 0; round < 5000; round++) {
		struct memrange ram[4], gone[5], out[64];
		bool is_free[256] = {false};
		size_t nr = test_below(&rng, 5), ng = test_below(&rng, 6);
		for (size_t i = 0; i < nr; i++)
			ram[i] = (struct memrange){test_below(&rng, 200) * 16, test_below(&rng, 56) * 16};
		for (size_t i = 0; i < ng; i++)
			gone[i] = (struct memrange){test_below(&rng, 3200), test_below(&rng, 400)};
		for (size_t p = 0; p < 256; p++) {
			for (size_t i = 0; i < nr; i++)
				is_free[p] |= p * 16 >= ram[i].base && p * 16 < ram[i].base + ram[i].size;
			for (size_t i = 0; i < ng; i++)
				if (gone[i].size && p * 16 + 16 > gone[i].base &&
					p * 16 < gone[i].base + gone[i].size)
					is_free[p] = false;
		}
		size_t n = memmap_free(ram, nr, gone, ng, 16, out, 64), i = 0;
		for (size_t p = 0; p < 256; p++) {
			while (i < n && p * 16 >= out[i].base + out[i].size)
				i++;
			CHECK_EQ(i < n && p * 16 >= out[i].base, is_free[p]);
		}
	}
}
