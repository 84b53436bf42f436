#!/usr/bin/python3
"""mkramfs.py writes the format of kernel/fs/ramfs_image.h."""
import gzip
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(__file__))
import mkramfs  # noqa: E402


def parse(image):
    """path -> (flags, content), with every promise of the format checked."""
    (magic, version, count, total, nodes_off, names_off, names_len, data_off, meta_crc,
     data_crc) = mkramfs.HEADER.unpack_from(image)
    assert (magic, version, total, nodes_off) == (b"MAZURAM1", 1, len(image), 64)
    assert data_off % 16 == 0 and names_off + names_len <= data_off
    meta = image[:56] + bytes(4) + image[60:data_off]
    assert mkramfs.crc32c(meta) == meta_crc and mkramfs.crc32c(image[data_off:]) == data_crc
    paths, files, next_child = [], {}, 1
    for i in range(count):
        (parent, first, children, name_off, name_len, kind, flags, _, start, length, mtime, _,
         _) = mkramfs.NODE.unpack_from(image, nodes_off + 64 * i)
        name = image[names_off + name_off:names_off + name_off + name_len].decode()
        paths.append("" if i == 0 else f"{paths[parent]}/{name}")
        assert mtime == 0 and (parent < i or i == 0)
        if kind == mkramfs.DIR:
            assert first == next_child
            next_child += children
        else:
            assert start % 16 == 0 and first == children == 0
            files[paths[i]] = (flags, image[start:start + length])
    assert next_child == count
    return files


class Ramfs(unittest.TestCase):
    def test_crc_is_the_published_one(self):
        self.assertEqual(mkramfs.crc32c(b"123456789"), 0xE3069283)

    def build(self, tree, *args):
        with tempfile.TemporaryDirectory() as top:
            for path, (mode, content) in tree.items():
                full = os.path.join(top, "root", path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "wb") as f:
                    f.write(content)
                os.chmod(full, mode)
            out = os.path.join(top, "image")
            tool = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mkramfs.py")
            subprocess.run([sys.executable, tool, *args, "-o", out, os.path.join(top, "root")],
                           check=True)
            with open(out, "rb") as f:
                return f.read()

    def test_tree(self):
        files = parse(self.build({
            "hello.txt": (0o644, b"hello"), "bin/run": (0o755, b"\x7fELF"),
            "etc/secret/token": (0o644, b"t"), "web/a/b/c.html": (0o644, b"hello")}))
        self.assertEqual(files, {
            "/hello.txt": (0, b"hello"), "/bin/run": (mkramfs.EXEC, b"\x7fELF"),
            "/etc/secret/token": (mkramfs.SECRET, b"t"), "/web/a/b/c.html": (0, b"hello")})

    def test_a_folder_under_another_name(self):
        with tempfile.TemporaryDirectory() as top:
            os.makedirs(f"{top}/page/deep")
            for name in ("one.txt", "deep/two"):
                with open(f"{top}/page/{name}", "wb") as f:
                    f.write(name.encode())
            subprocess.run([sys.executable, mkramfs.__file__, "-o", f"{top}/image", f"web={top}/page", f"web/one.txt={top}/page/deep/two"],
                           check=True)
            with open(f"{top}/image", "rb") as f:
                self.assertEqual(parse(f.read()), {"/web/deep/two": (0, b"deep/two"), "/web/one.txt": (0, b"deep/two")})

    def test_equal_contents_are_stored_once(self):
        big = bytes(range(256)) * 16
        self.assertLess(len(self.build({"a": (0o644, big), "b": (0o644, big)})), 2 * len(big))

    def test_gzip_only_where_it_saves(self):
        text = b"mazu " * 1000
        files = parse(self.build({"a.txt": (0o644, text), "b.txt": (0o644, b"x"),
                                  "c.png": (0o644, text)}, "--gzip"))
        self.assertEqual(sorted(files), ["/a.txt", "/a.txt.gz", "/b.txt", "/c.png"])
        self.assertEqual(gzip.decompress(files["/a.txt.gz"][1]), text)

    def test_secrets_have_no_public_copy(self):
        files = parse(self.build({"secret/a.txt": (0o644, b"key " * 1000)}, "--gzip"))
        self.assertTrue(all(flags & mkramfs.SECRET for flags, _ in files.values()))

    def test_repeats_exactly(self):
        tree = {"b": (0o644, b"2"), "a": (0o644, b"1"), "d/e": (0o644, b"3")}
        self.assertEqual(self.build(tree), self.build(dict(reversed(tree.items()))))


if __name__ == "__main__":
    unittest.main()
